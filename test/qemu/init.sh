#!/bin/busybox sh
# The first and only program of the machine that kernels.ts boots: mounts, loads what Debian has as modules, runs the suite and
# in-kernel.cjs in a network of their own, and switches off. What they print goes to the second serial port.
export PATH=/usr/bin:/usr/sbin:/bin HOME=/ NO_COLOR=1
/bin/busybox --install -s /bin
mount -t proc proc /proc && mount -t sysfs sys /sys && mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
for module in /modules/*.ko; do insmod "$module"; done
exec >/dev/ttyS1 2>/dev/ttyS0
. /settings
/suite/world.sh node /suite/suite.cjs /stage/node_modules/recvfromto/dist
/suite/world.sh node /suite/in-kernel.cjs /stage/node_modules/recvfromto/dist
# In one line, which says what it is.
printf '{"doctor":%s}\n' "$(/suite/world.sh node /stage/node_modules/recvfromto/dist/cli/main.js doctor --deep --json | tr -d '\n')"
sync
reboot -f
