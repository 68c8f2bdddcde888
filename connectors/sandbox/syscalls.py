"""The system calls that a sandboxed program may make, by name and number on x86-64 and on aarch64; all others fail.

A list of what is allowed ages well: a call that a newer kernel adds is refused until somebody has thought about it.
"""

from __future__ import annotations

from typing import Literal

Machine = Literal["x86_64", "aarch64"]


def _table(text: str) -> dict[str, dict[Machine, int]]:
    """`name:x86-64:aarch64`; a dash where a machine has no such call."""
    table: dict[str, dict[Machine, int]] = {}
    for row in text.split():
        name, intel, arm = row.split(":")
        numbers: list[tuple[Machine, str]] = [("x86_64", intel), ("aarch64", arm)]
        table[name] = {machine: int(number) for machine, number in numbers if number != "-"}
    return table


ALWAYS = _table(
    """
    read:0:63 write:1:64 close:3:57 lseek:8:62 pread64:17:67 pwrite64:18:68 readv:19:65 writev:20:66
    preadv:295:69 pwritev:296:70 dup:32:23 dup2:33:- dup3:292:24 pipe:22:- pipe2:293:59 poll:7:- ppoll:271:73
    select:23:- pselect6:270:72 epoll_create:213:- epoll_create1:291:20 epoll_ctl:233:21 epoll_wait:232:-
    epoll_pwait:281:22 epoll_pwait2:441:441 eventfd:284:- eventfd2:290:19 timerfd_create:283:85
    timerfd_settime:286:86 timerfd_gettime:287:87 signalfd:282:- signalfd4:289:74 stat:4:- fstat:5:80 lstat:6:-
    newfstatat:262:79 statx:332:291 access:21:- faccessat:269:48 faccessat2:439:439 readlink:89:-
    readlinkat:267:78 getdents:78:- getdents64:217:61 getcwd:79:17 chdir:80:49 fchdir:81:50 statfs:137:43
    fstatfs:138:44 flock:73:32 fsync:74:82 fdatasync:75:83 sendfile:40:71 umask:95:166 mmap:9:222 munmap:11:215
    mprotect:10:226 mremap:25:216 madvise:28:233 brk:12:214 msync:26:227 rt_sigaction:13:134
    rt_sigprocmask:14:135 rt_sigreturn:15:139 rt_sigpending:127:136 rt_sigtimedwait:128:137
    rt_sigsuspend:130:133 sigaltstack:131:132 pause:34:- alarm:37:- getitimer:36:102 setitimer:38:103
    timer_create:222:107 timer_settime:223:110 timer_gettime:224:108 timer_getoverrun:225:109
    timer_delete:226:111 nanosleep:35:101 clock_nanosleep:230:115 clock_gettime:228:113 clock_getres:229:114
    gettimeofday:96:169 time:201:- times:100:153 futex:202:98 set_robust_list:273:99 set_tid_address:218:96
    rseq:334:293 membarrier:324:283 sched_yield:24:124 sched_getaffinity:204:123 sched_getparam:143:121
    sched_getscheduler:145:120 sched_get_priority_max:146:125 sched_get_priority_min:147:126 getpriority:140:141
    getcpu:309:168 restart_syscall:219:128 getpid:39:172 getppid:110:173 gettid:186:178 getuid:102:174
    geteuid:107:175 getgid:104:176 getegid:108:177 getresuid:118:148 getresgid:120:150 getgroups:115:158
    getpgrp:111:- getpgid:121:155 getsid:124:156 getrlimit:97:163 getrusage:98:165 uname:63:160 sysinfo:99:179
    getrandom:318:278 arch_prctl:158:- sendto:44:206 recvfrom:45:207 sendmsg:46:211 recvmsg:47:212
    shutdown:48:210 getsockopt:55:209 setsockopt:54:208 getsockname:51:204 getpeername:52:205 wait4:61:260
    waitid:247:95 exit:60:93 exit_group:231:94
    """
)
"""Whatever their arguments: none of them names another process, and what paths they open the tier decides."""

WRITING = _table(
    """
    rename:82:- renameat:264:38 renameat2:316:276 mkdir:83:- mkdirat:258:34 rmdir:84:- unlink:87:-
    unlinkat:263:35 link:86:- linkat:265:37 symlink:88:- symlinkat:266:36 chmod:90:- fchmod:91:52
    fchmodat:268:53 fchmodat2:452:452 utime:132:- utimes:235:- futimesat:261:- utimensat:280:88 truncate:76:45
    ftruncate:77:46 fallocate:285:47 copy_file_range:326:285 creat:85:- getxattr:191:8 lgetxattr:192:9
    fgetxattr:193:10 listxattr:194:11 llistxattr:195:12 flistxattr:196:13
    """
)
"""Only where a program has a file system of its own: Landlock does not stop all of these."""

PROCESSES = _table(
    """
    fork:57:- vfork:58:- execve:59:221 setpgid:109:154
    """
)
"""Only for a shell, which can do nothing without them."""

CHECKED = _table(
    """
    clone:56:220 clone3:435:435 socketpair:53:199 ioctl:16:29 fcntl:72:25 prctl:157:167 prlimit64:302:261
    kill:62:129 tgkill:234:131 open:2:- openat:257:56 openat2:437:437
    """
)
"""Allowed, or answered as unknown, by their arguments; see seccomp.py."""
