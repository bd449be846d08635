#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# What a shell script may expect of the system below it: files, pipes, processes, signals, /proc.
# Run as root by busybox's sh, with its applets linked into /bin. Ends with "N checks, N failed".

checks=0
failed=0
# is NAME WANTED GOT
is() {
    checks=$((checks + 1))
    if [ "$2" != "$3" ]; then
        failed=$((failed + 1))
        echo "$1: wanted <$2>, got <$3>"
    fi
}
# ok NAME COMMAND...: it succeeds; no NAME COMMAND...: it fails
ok() {
    name=$1
    shift
    "$@" > /tmp/said 2>&1
    is "$name" 0 $?
}
no() {
    name=$1
    shift
    if "$@" > /tmp/said 2>&1; then
        is "$name" failure success
    else
        is "$name" 1 1
    fi
}

# --- files and directories -----------------------------------------------------------------------
work=/tmp/work
ok "mkdir" mkdir $work
no "mkdir of what is there" mkdir $work
cd $work || exit 1
is "pwd" $work "$(pwd)"
echo one > a
echo two >> a
is "append" "one two" "$(tr '\n' ' ' < a | sed 's/ $//')"
is "wc" "2 2 8" "$(wc < a | awk '{ print $1, $2, $3 }')"
: > a
is "truncation" 0 "$(stat -c %s a)"
printf 'x%.0s' 1 2 3 4 5 > a
is "printf" xxxxx "$(cat a)"
ok "cp" cp a b
ok "cmp" cmp a b
echo y >> b
no "cmp of two that differ" cmp a b
ok "mv" mv b c
no "what was moved is gone" test -e b
ok "hard link" ln c d
is "link count" 2 "$(stat -c %h c)"
is "one inode" "$(stat -c %i c)" "$(stat -c %i d)"
ok "rm of a link" rm c
is "link count" 1 "$(stat -c %h d)"
ok "symbolic link" ln -s d e
is "readlink" d "$(readlink e)"
is "through a link" "$(cat d)" "$(cat e)"
ok "loop" ln -s loop loop
no "a loop leads nowhere" cat loop
ok "mkdir -p" mkdir -p p/q/r
no "rmdir of a full one" rmdir p/q
ok "touch" touch p/q/r/file p/q/other
is "find" "p p/q p/q/other p/q/r p/q/r/file" "$(find p | sort | tr '\n' ' ' | sed 's/ $//')"
is "du counts files" 2 "$(find p -type f | wc -l | tr -d ' ')"
ok "rm -r" rm -r p
no "all below is gone" test -e p/q/r/file
ok "chmod" chmod 640 a
is "mode" 640 "$(stat -c %a a)"
ok "chown" chown 12:34 a
is "owner" "12 34" "$(stat -c '%u %g' a)"
umask 027
touch masked
is "umask" 640 "$(stat -c %a masked)"
umask 022
ok "sparse" dd if=/dev/zero of=sparse bs=1k seek=1023 count=1
is "size of a sparse file" 1048576 "$(stat -c %s sparse)"
is "blocks of a sparse file" 8 "$(stat -c %b sparse)"
ok "truncate" truncate -s 100 sparse
is "size then" 100 "$(stat -c %s sparse)"
ok "tar" tar cf /tmp/work.tar a d e
ok "untar" tar xf /tmp/work.tar -C /tmp
is "what came out" xxxxx "$(cat /tmp/a)"
is "a link came out" d "$(readlink /tmp/e)"
is "globs" "a d e" "$(echo [a-e])"
is "md5sum" "$(md5sum < a)" "$(md5sum < /tmp/a)"
is "gzip and back" "$(md5sum < /bin/busybox)" "$(gzip -1 < /bin/busybox | gunzip | md5sum)"

# --- pipes and substitution ----------------------------------------------------------------------
is "a pipeline" 5 "$(seq 1 1000 | grep 99 | head -n 5 | wc -l | tr -d ' ')"
is "a long one" 500500 "$(seq 1 1000 | cat | cat | cat | awk '{ s += $1 } END { print s }')"
is "a megabyte" 1048576 "$(dd if=/dev/zero bs=64k count=16 2> /dev/null | cat | wc -c | tr -d ' ')"
is "yes ends" y "$(yes | head -n 1)"
is "here document" "a b" "$(cat << END | tr '\n' ' ' | sed 's/ $//'
a
b
END
)"
is "sort" "1 2 3 10" "$(printf '10\n3\n1\n2\n' | sort -n | tr '\n' ' ' | sed 's/ $//')"
is "sort -u, uniq -c" "2 a" "$(printf 'a\na\n' | uniq -c | awk '{ print $1, $2 }')"
is "sed" "hello world" "$(echo hello there | sed 's/there/world/')"
is "cut" b "$(echo a:b:c | cut -d: -f2)"
is "xargs" "1 2 3" "$(seq 3 | xargs)"
is "tee" "twice twice" "$(echo twice | tee copy) $(cat copy)"
is "stderr" "" "$(ls /nowhere 2> /dev/null)"
is "stderr into stdout" 1 "$(ls /nowhere 2>&1 | grep -c 'No such file')"
is "fd 3" three "$(exec 3> three; echo three >&3; exec 3>&-; cat three)"
is "od" "61 62" "$(printf ab | od -An -tx1 | awk '{ print $1, $2 }')"
is "a status through a pipe" 1 "$(false | false; echo $?)"

# --- processes -----------------------------------------------------------------------------------
is "exit status" 7 "$(sh -c 'exit 7'; echo $?)"
is "killed" 143 "$(sh -c 'kill -TERM $$'; echo $?)"
is "a crash" 139 "$(sh -c 'kill -SEGV $$' > /dev/null 2>&1; echo $?)"
is "not found" 127 "$(nowhere 2> /dev/null; echo $?)"
is "not executable" 126 "$(./a 2> /dev/null; echo $?)"
is "subshell" "in out" "$(x=out; (x=in; printf '%s ' $x); echo $x)"
sleep 100 &
sleeper=$!
ok "alive" kill -0 $sleeper
kill $sleeper
wait $sleeper
is "wait tells of the signal" 143 $?
no "it is gone" kill -0 $sleeper
(exit 3) &
wait $!
is "wait tells of the status" 3 $?
for i in 1 2 3 4 5 6 7 8; do
    (echo $i >> together) &
done
wait
is "eight at once" 8 "$(wc -l < together | tr -d ' ')"
is "trap" trapped "$(sh -c 'trap "echo trapped" USR1; kill -USR1 $$')"
is "trap on exit" bye "$(sh -c 'trap "echo bye" EXIT; true')"
is "timeout" 143 "$(timeout 1 sleep 30; echo $?)"
is "environment" value "$(VARIABLE=value sh -c 'echo $VARIABLE')"
is "arguments" "3 a b c" "$(sh -c 'echo $# $*' x a b c)"
cat > program << 'END'
#!/bin/sh
echo "$0 $1"
END
chmod +x program
is "interpreter" "./program arg" "$(./program arg)"
is "a parent" $$ "$(sh -c 'echo $PPID')"
is "ulimit" 64 "$(ulimit -n 64; ulimit -n)"
(
    ulimit -f 8
    trap '' XFSZ
    dd if=/dev/zero of=big bs=4k count=4 2> /dev/null
)
is "limit on a file's size" 4096 "$(stat -c %s big)"
is "and its signal" 153 "$(sh -c 'ulimit -f 0; echo x > big' 2> /dev/null; echo $?)"
is "id" 0 "$(id -u)"

# --- what the system tells -----------------------------------------------------------------------
is "uname" Linux "$(uname -s)"
is "machine" riscv64 "$(uname -m)"
is "self" sh "$(awk '{ print $2 }' /proc/$$/stat | tr -d '()')"
is "cmdline" sh "$(tr '\0' '\n' < /proc/$$/cmdline | head -n 1)"
is "cwd" $work "$(readlink /proc/$$/cwd)"
is "state" S "$(awk '/^State/ { print $2 }' /proc/$$/status)"
is "an own map" 1 "$(grep -c '\[stack\]' /proc/self/maps)"
ok "meminfo" grep -q '^MemTotal: *[0-9]* kB' /proc/meminfo
ok "free" sh -c 'free | grep -q ^Mem:'
ok "uptime" sh -c 'uptime | grep -q load'
ok "ps" sh -c 'ps | grep -q sh'
ok "mounts" grep -q ' / tmpfs ' /proc/mounts
ok "vmstat" grep -q '^pgfault [1-9]' /proc/vmstat
ok "nodes" test -d /sys/devices/system/node/node0
is "null" "" "$(cat /dev/null)"
is "zero" 0 "$(head -c 1000 /dev/zero | tr -d '\0' | wc -c | tr -d ' ')"
is "random" 1000 "$(head -c 1000 /dev/urandom | wc -c | tr -d ' ')"
no "full" sh -c 'echo x > /dev/full'

# --- memory --------------------------------------------------------------------------------------
ok "mount" mkdir small
ok "mount" mount -t tmpfs -o size=64k tmpfs small
no "a full file system" dd if=/dev/zero of=small/file bs=4k count=32
is "what fitted" 65536 "$(stat -c %s small/file)"
is "df" "64 64 0 100%" "$(df small | awk 'NR == 2 { print $2, $3, $4, $5 }')"
ok "umount" umount small
before=$(awk '/^Shmem:/ { print $2 }' /proc/meminfo)
dd if=/dev/zero of=megabyte bs=64k count=16 2> /dev/null
after=$(awk '/^Shmem:/ { print $2 }' /proc/meminfo)
is "a file is memory" 1024 $((after - before))
rm megabyte
is "and no longer" "$before" "$(awk '/^Shmem:/ { print $2 }' /proc/meminfo)"
i=0
while [ $i -lt 300 ]; do
    i=$((i + 1))
    x=$x$i
done
is "a loop" 792 ${#x}
fib() {
    if [ "$1" -lt 2 ]; then
        echo "$1"
    else
        echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2)))))
    fi
}
is "a tree of forks" 34 "$(fib 9)"

cd / || exit 1
ok "rm -r" rm -r $work
echo "$checks checks, $failed failed"
exit $failed
