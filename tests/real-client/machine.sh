#!/usr/bin/env bash
# Becomes a machine of its own and runs the story on it. Started as root (perhaps only a user namespace's root) in new
# network, mount, pid and uts namespaces by tests/real-client.sh.
#
#   machine.sh WORK SCRIPTS CLIENT story|cost|plugin|shell
set -euo pipefail
work=$1 scripts=$2 client=$3 what=$4

hostname devbox
ip link set lo up
mount --make-rprivate /

# A root of its own with the system's folders and nothing else. No /.dockerenv among them: where the client sees that, or
# fewer than 16 processes, it believes itself in a container and never sweeps the records of dead sessions.
root=/mnt
mount -t tmpfs -o mode=755 tmpfs $root
for folder in /bin /sbin /lib /lib32 /lib64 /usr /etc /dev /proc /sys; do
    if [ -L $folder ]; then
        cp -P $folder $root$folder
    elif [ -d $folder ]; then
        mkdir $root$folder
        mount --rbind $folder $root$folder
    fi
done
mkdir -p $root/run $root/root $root/home/dev $root/scripts $root/client $root/tmp $root/var/tmp $root/.old
chmod 1777 $root/tmp $root/var/tmp
mount --bind "$scripts" $root/scripts
mount --bind "$(dirname "$client")" $root/client
mount --bind "$work/home" $root/home/dev

as_user=()
if [ "$(awk '{ print $2; exit }' /proc/self/uid_map)" -eq 0 ]; then
    # The real root: step down to a user that exists on this machine only.
    { cat /etc/passwd && echo 'dev:x:4242:4242:dev:/home/dev:/bin/bash'; } >"$work/passwd"
    { cat /etc/group && echo 'dev:x:4242:'; } >"$work/group"
    mount --bind "$work/passwd" $root/etc/passwd
    mount --bind "$work/group" $root/etc/group
    chown -R 4242:4242 "$work/home"
    as_user=(setpriv --reuid=4242 --regid=4242 --clear-groups)
fi

cd $root
pivot_root . .old
cd /
umount -l /.old
rmdir /.old

for _ in {1..20}; do
    sleep 100000 &
done

ln -s "/client/$(basename "$client")" /home/dev/.local/bin/claude
as_dev() {
    "${as_user[@]}" env -i HOME=/home/dev USER=dev LOGNAME=dev SHELL=/bin/bash TERM="${TERM:-xterm-256color}" LANG=C.UTF-8 \
        PATH=/home/dev/.local/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 \
        ANTHROPIC_API_KEY=stand-in ANTHROPIC_BASE_URL=http://127.0.0.1:8765 \
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_TELEMETRY=1 DISABLE_AUTOUPDATER=1 DISABLE_ERROR_REPORTING=1 "$@"
}
as_dev python3 /scripts/mock_api.py 8765 &
cd /home/dev
if [ "$what" = shell ]; then
    as_dev python3 /scripts/story.py prepare
    as_dev bash -i || true
else
    as_dev python3 "/scripts/$what.py"
fi
