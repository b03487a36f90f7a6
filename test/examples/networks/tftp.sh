# A TFTP server with several addresses, asked on each by tftp-hpa and by atftp. A file of many blocks, an empty one, one
# that ends with a whole block, text as netascii, one that is not there, and one that is not in the directory.
. "$(dirname "$0")/hosts.sh"
host server; host client
cable server s0 192.0.2.1/24 client c0 192.0.2.9/24
on server sh -c 'ip addr add 192.0.2.7/24 dev s0; ip addr add 203.0.113.69/32 dev lo
  for a in 2001:db8:a::1/64 2001:db8:a::7/64; do ip -6 addr add $a dev s0 nodad; done'
on client sh -c 'ip -6 addr add 2001:db8:a::9/64 dev c0 nodad; ip route add 203.0.113.69 via 192.0.2.1'
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir "$work/files" "$work/got"
head -c 100000 /dev/urandom > "$work/files/large"; head -c 1024 /dev/urandom > "$work/files/whole"; : > "$work/files/empty"
printf 'one\ntwo\n' > "$work/files/text"; echo secret > "$work/secret"; ln -s ../secret "$work/files/link"
serve server examples/tftp-server.js "$work/files"
cd "$work/got"
same() { if cmp -s "$work/files/$1" "$2"; then echo "$3 $1 same"; else echo "$3 $1 DIFFERENT"; fi; rm -f "$2"; }
for address in 192.0.2.1 192.0.2.7 203.0.113.69 2001:db8:a::7; do
  for file in large whole empty; do
    on client timeout 10 tftp -m octet "$address" -c get "$file" hpa >/dev/null; same "$file" hpa "hpa $address"
    on client timeout 10 atftp --get --remote-file "$file" --local-file a "$address" >/dev/null; same "$file" a "atftp $address"
  done
done
on client timeout 10 atftp --option "blksize 1428" --option "tsize 0" --get -r large -l a 192.0.2.7 >/dev/null; same large a "atftp blksize"
on client timeout 10 tftp -m netascii 192.0.2.7 -c get text hpa >/dev/null; same text hpa netascii
for file in missing link ../secret /etc/passwd; do
  on client timeout 10 tftp -m octet 192.0.2.7 -c get "$file" hpa 2>&1 | sed "s|^|$file: |"
done
