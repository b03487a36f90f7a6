# keepalived: one virtual address on two hosts by turns (VRRP). It leaves a host whose program does not run any more.
#   client, a, b ── switch
. "$(dirname "$0")/../hosts.sh"
work=$(mktemp -d)
switch lan
host client; host a; host b
plug lan client c0 192.0.2.1/24
plug lan a eth0 192.0.2.3/24
plug lan b eth0 192.0.2.4/24
address client c0 2001:db8::1/64; address a eth0 2001:db8::3/64; address b eth0 2001:db8::4/64
keepalived_on() { # NAME PRIORITY
  sed "s|@PRIORITY@|$2|g; s|@PID@|$work/$1.server|g" "$here/vrrp/keepalived.conf" > "$work/$1.conf"
  on "$1" keepalived --dont-fork --log-console --vrrp -f "$work/$1.conf" -p "$work/$1.pid" -r "$work/$1-vrrp.pid" \
    >"$work/$1.log" 2>&1 &
}
serve_checked() { serve_named "$1"; echo "${process[$1]}" > "$work/$1.server"; }
has() { on "$1" ip addr show eth0 | grep -q 192.0.2.10/ && on "$1" ip addr show eth0 | grep 2001:db8::10/ | grep -qv tentative; }
has_not() { ! has "$1"; }

program=test/deployment/plain.js
serve_checked a
keepalived_on a 150
until_true 15 has a
ask 192.0.2.10 5300 --count 5
stop a
until_true 15 has_not a

program=examples/anycast.js
serve_checked a; serve_checked b # before the address is there: they are bound to all addresses
keepalived_on b 100
until_true 15 has a
out4=$(mktemp) out6=$(mktemp)
from_to() {
  asking "$out4" 192.0.2.10 5300 --before "$1" --until "$2"
  asking "$out6" 2001:db8::10 5300 --before "$1" --until "$2"
}
from_to a b
stop a
finished "$out4"; finished "$out6"
from_to b a
serve_checked a
finished "$out4"; finished "$out6"
