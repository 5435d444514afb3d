// Child processes: a fork in Swift is not possible, so starting one and guarding it is done here.
//
// Between fork and exec, and in the guard, only async-signal-safe calls are made: other threads of
// the parent may have held any lock. Functions return their result, or the negated errno.
#ifndef SLUICE_CLINUX_PROCESSES_H
#define SLUICE_CLINUX_PROCESSES_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Shown by glibc only under _GNU_SOURCE; see shim.h.
extern char **environ;
extern int pipe2(int fds[2], int flags);

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define SLUICE_CLOSE_RANGE_CLOEXEC 4U
#define SLUICE_DESCRIPTORS_MAX 65536
/// Signals 1 to 64 exist on Linux.
#define SLUICE_SIGNALS_MAX 64
/// Most process groups the guard remembers.
#define SLUICE_GUARD_GROUPS_MAX 4096
/// How long the guard waits between the polite and the final signal.
#define SLUICE_GUARD_GRACE_MS 2000

/// A descriptor that becomes readable when the child ends; -ENOSYS on old kernels.
static inline int sluice_pidfd(int pid) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : fd;
}

/// The two ends of a pipe: reading without blocking, writing for a child.
static inline int sluice_output_pipe(int *reader, int *writer) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
        int error = errno;
        close(ends[0]);
        close(ends[1]);
        return -error;
    }
    *reader = ends[0];
    *writer = ends[1];
    return 0;
}

static inline long sluice_read(int fd, void *bytes, size_t count) {
    ssize_t result = read(fd, bytes, count);
    return result < 0 ? -errno : result;
}

static inline int sluice_poll(struct pollfd *fds, size_t count, int milliseconds) {
    int result = poll(fds, (nfds_t)count, milliseconds);
    return result < 0 ? -errno : result;
}

/// Signals a process group; a group that is gone gives -ESRCH.
static inline int sluice_signal_group(int group, int signal) {
    return kill(-group, signal) < 0 ? -errno : 0;
}

// Whether /proc shows `pid` as a member of `group` that runs: a zombie is one no more.
static inline int sluice_runs_in_group(const char *pid, int group) {
    char path[32], text[512];
    if (strlen(pid) > 10) return 0;
    strcpy(path, "/proc/");
    strcat(path, pid);
    strcat(path, "/stat");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t count = read(fd, text, sizeof text - 1);
    close(fd);
    if (count <= 0) return 0;
    text[count] = 0;
    // "pid (name) state ppid pgrp …", and the name may hold anything but ends at the last ")".
    char *end = strrchr(text, ')');
    if (end == NULL || strlen(end) < 4 || end[2] == 'Z' || end[2] == 'X') return 0;
    char *parent_end;
    (void)strtol(end + 4, &parent_end, 10);
    return strtol(parent_end, NULL, 10) == group;
}

/// Whether anybody in a group still runs.
///
/// Zombies do not count: they are somebody else's to collect, who may never do it (a container's
/// process 1 that was not made for it).
static inline int sluice_group_runs(int group) {
    if (kill(-group, 0) < 0 && errno == ESRCH) return 0;
    DIR *all = opendir("/proc");
    if (all == NULL) return 1;
    int runs = 0;
    const struct dirent *entry;
    while (!runs && (entry = readdir(all)) != NULL)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
            runs = sluice_runs_in_group(entry->d_name, group);
    closedir(all);
    return runs;
}

/// Collects one ended child of a group: its pid, 0 when none has ended, -ECHILD when none is left.
static inline int sluice_reap_group(int group, int *status) {
    int pid = waitpid(-group, status, WNOHANG);
    return pid < 0 ? -errno : pid;
}

/// Collects one child: its pid, or 0 when it has not ended.
static inline int sluice_reap(int pid, int *status) {
    int result = waitpid(pid, status, WNOHANG);
    return result < 0 ? -errno : result;
}

/// Whether a port is free for listening on every address of this machine; 0 asks for any.
///
/// Returns the port. SO_REUSEADDR is what servers set too: connections that linger from an
/// earlier life of the port do not count, a listener does. The port is not listened on, not even
/// for a moment: a probe must not succeed because of this.
static inline int sluice_free_port(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int on = 1;
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    socklen_t length = sizeof address;
    int result = 0;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0
        || bind(fd, (struct sockaddr *)&address, sizeof address) < 0
        || getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        result = -errno;
    else
        result = ntohs(address.sin_port);
    close(fd);
    return result;
}

/// The lowest port the kernel gives to outgoing connections; 0 when it does not say.
static inline int sluice_ephemeral_port_min(void) {
    int fd = open("/proc/sys/net/ipv4/ip_local_port_range", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    char text[32];
    ssize_t count = read(fd, text, sizeof text - 1);
    close(fd);
    if (count <= 0) return 0;
    text[count] = 0;
    return atoi(text);
}

// What a child inherits of signals is not what the gateway made of them.
static inline void sluice_default_signals(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    for (int signal = 1; signal <= SLUICE_SIGNALS_MAX; signal++)
        (void)sigaction(signal, &action, NULL);
}

// Marks, or closes, every descriptor from `first` up.
static inline void sluice_close_from(int first, int on_exec_only) {
    unsigned flags = on_exec_only ? SLUICE_CLOSE_RANGE_CLOEXEC : 0;
    if (syscall(SYS_close_range, (unsigned)first, ~0U, flags) == 0) return;
    struct rlimit limit;
    int end = SLUICE_DESCRIPTORS_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < (rlim_t)end)
        end = (int)limit.rlim_cur;
    for (int fd = first; fd < end; fd++) {
        if (on_exec_only)
            (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        else
            (void)close(fd);
    }
}

// The child's side of sluice_spawn. Sends errno through `report` when it does not come to exec.
static inline _Noreturn void sluice_child(
    char **argv, char **envp, int output, int guard, int report, int parent
) {
    int error = 0;
    // Out of the way of 0, 1 and 2, which may be closed in the parent and so be any of these.
    output = fcntl(output, F_DUPFD_CLOEXEC, 3);
    guard = fcntl(guard, F_DUPFD_CLOEXEC, 3);
    report = fcntl(report, F_DUPFD_CLOEXEC, 3);
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (output < 0 || guard < 0 || report < 0 || input < 0) goto failed;
    if (input != 0 && dup2(input, 0) < 0) goto failed;
    if (input == 0) (void)fcntl(0, F_SETFD, 0);
    if (dup2(output, 1) < 0 || dup2(output, 2) < 0) goto failed;

    if (setpgid(0, 0) < 0) goto failed;
    // Dies with the thread that started it. Had that ended before this call, nobody would notice.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) goto failed;
    if (getppid() != parent) _exit(127);
    // Registered before exec, so that no grandchild can exist that the guard does not know of.
    int32_t group = (int32_t)getpid();
    if (send(guard, &group, sizeof group, MSG_NOSIGNAL) != sizeof group) goto failed;

    sluice_close_from(3, 1);
    sluice_default_signals();
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    environ = envp;
    (void)execvp(argv[0], argv);
failed:
    error = errno;
    if (report >= 0) {
        ssize_t ignored = write(report, &error, sizeof error);
        (void)ignored;
    }
    _exit(127);
}

// Splits NUL-ended strings into a table that ends in NULL; returns where the next string starts.
static inline char *sluice_strings(char *text, char **table, size_t count) {
    for (size_t index = 0; index < count; index++) {
        table[index] = text;
        text += strlen(text) + 1;
    }
    table[count] = NULL;
    return text;
}

static inline int sluice_sets_same_name(const char *left, const char *right) {
    const char *end = strchr(left, '=');
    return end != NULL && strncmp(left, right, (size_t)(end - left) + 1) == 0;
}

// The parent's environment without what `added` sets, then `added`.
static inline char **sluice_environment(char **added, size_t added_count) {
    size_t count = 0;
    while (environ != NULL && environ[count] != NULL) count++;
    char **all = calloc(count + added_count + 1, sizeof *all);
    if (all == NULL) return NULL;
    size_t used = 0;
    for (size_t index = 0; index < count; index++) {
        int replaced = 0;
        for (size_t other = 0; other < added_count && !replaced; other++)
            replaced = sluice_sets_same_name(added[other], environ[index]);
        if (!replaced) all[used++] = environ[index];
    }
    for (size_t index = 0; index < added_count; index++) all[used++] = added[index];
    return all;
}

// Waits until the child has called exec or reported why not; the errno, or 0.
static inline int sluice_exec_error(int report) {
    int error = 0;
    ssize_t count;
    do
        count = read(report, &error, sizeof error);
    while (count < 0 && errno == EINTR);
    return count == sizeof error ? error : 0;
}

static inline int sluice_fork_child(
    char **argv, char **envp, int output, int guard
) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0) return -errno;
    // No handler of the parent may run in the child.
    sigset_t all, before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int parent = getpid();
    int pid = fork();
    if (pid == 0) sluice_child(argv, envp, output, guard, report[1], parent);
    int error = pid < 0 ? errno : 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    if (pid > 0) {
        error = sluice_exec_error(report[0]);
        if (error != 0) (void)waitpid(pid, NULL, 0);
    }
    close(report[0]);
    return error != 0 ? -error : pid;
}

/// Starts a program as the leader of its own process group; returns its pid.
///
/// `strings` holds `argc` arguments and then `envc` settings (`NAME=value`), each ended by a NUL.
/// The program is looked for in the child's PATH. Its output and errors go to `output`, its input
/// is empty; `guard` is the gateway's end of sluice_guard. Call it only from a thread that lives
/// as long as the child may: when that ends, the child is killed.
static inline int sluice_spawn(
    const uint8_t *strings, size_t length, size_t argc, size_t envc, int output, int guard
) {
    int result = -ENOMEM;
    char *text = malloc(length + 1);
    char **argv = calloc(argc + 1, sizeof *argv);
    char **added = calloc(envc + 1, sizeof *added);
    char **envp = NULL;
    if (text != NULL && argv != NULL && added != NULL) {
        memcpy(text, strings, length);
        text[length] = 0;
        (void)sluice_strings(sluice_strings(text, argv, argc), added, envc);
        envp = sluice_environment(added, envc);
        if (envp != NULL) result = sluice_fork_child(argv, envp, output, guard);
    }
    free(envp);
    free(added);
    free(argv);
    free(text);
    return result;
}

// The groups a guard stands for.
struct sluice_guard_groups {
    size_t count;
    int32_t groups[SLUICE_GUARD_GROUPS_MAX];
};

static inline void sluice_guard_note(struct sluice_guard_groups *table, int32_t message) {
    int32_t group = message < 0 ? -message : message;
    size_t index = 0;
    while (index < table->count && table->groups[index] != group) index++;
    if (message < 0) {
        if (index < table->count) table->groups[index] = table->groups[--table->count];
    } else if (index == table->count && table->count < SLUICE_GUARD_GROUPS_MAX && group > 1) {
        table->groups[table->count++] = group;
    }
}

// Signals every group that is left and forgets those that are gone.
static inline void sluice_guard_signal(struct sluice_guard_groups *table, int signal) {
    size_t kept = 0;
    for (size_t index = 0; index < table->count; index++)
        if (kill(-table->groups[index], signal) == 0 || errno != ESRCH)
            table->groups[kept++] = table->groups[index];
    table->count = kept;
}

static inline _Noreturn void sluice_guard_main(int inbox) {
    (void)setsid();
    (void)prctl(PR_SET_NAME, "sluice-guard", 0, 0, 0);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_IGN;
    for (int signal = 1; signal <= SLUICE_SIGNALS_MAX; signal++)
        (void)sigaction(signal, &action, NULL);
    // Nobody may wait for a pipe's end because this process still holds it.
    inbox = fcntl(inbox, F_DUPFD_CLOEXEC, 3);
    if (inbox < 0 || (inbox != 3 && dup2(inbox, 3) < 0)) _exit(1);
    sluice_close_from(4, 0);
    int null = open("/dev/null", O_RDWR);
    if (null >= 0)
        for (int fd = 0; fd < 3; fd++) (void)dup2(null, fd);
    if (null > 3) (void)close(null);
    if (chdir("/") < 0) _exit(1);

    struct sluice_guard_groups table;
    table.count = 0;
    for (;;) {
        int32_t message;
        ssize_t count = recv(3, &message, sizeof message, 0);
        if (count == sizeof message)
            sluice_guard_note(&table, message);
        else if (count >= 0 || errno != EINTR)
            break;
    }
    // The gateway is gone, by whatever means.
    sluice_guard_signal(&table, SIGTERM);
    for (int waited = 0; table.count > 0 && waited < SLUICE_GUARD_GRACE_MS; waited += 50) {
        (void)poll(NULL, 0, 50);
        sluice_guard_signal(&table, 0);
    }
    sluice_guard_signal(&table, SIGKILL);
    _exit(0);
}

/// Starts a guard: a process that outlives the caller and then ends the groups it was told of.
///
/// Returns its pid. Messages to `*socket` are 32-bit numbers: a group to end, or the negation of
/// one to forget. When the last copy of that end is closed, the groups that are left get SIGTERM
/// and 2 s later SIGKILL.
static inline int sluice_guard(int *socket) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
    sigset_t all, before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        sluice_guard_main(ends[1]);
    }
    int error = pid < 0 ? errno : 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (error != 0) {
        close(ends[0]);
        return -error;
    }
    *socket = ends[0];
    return pid;
}

/// Tells a guard of a group, or with a negative number to forget it.
static inline int sluice_guard_tell(int socket, int32_t message) {
    ssize_t count = send(socket, &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
    return count < 0 ? -errno : 0;
}

#endif
