// Linux calls that Swift's Glibc module lacks or cannot call, as inline wrappers.
// Every wrapper returns its result, or the negated errno.
#ifndef SLUICE_CLINUX_SHIM_H
#define SLUICE_CLINUX_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

// glibc shows these two only under _GNU_SOURCE, which would give Swift's Glibc module and this one
// different views of the same headers.
extern int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
extern int pthread_setname_np(pthread_t thread, const char *name);
extern int pipe2(int ends[2], int flags);
extern ssize_t splice(
    int from, __off64_t *from_offset, int to, __off64_t *to_offset, size_t count, unsigned flags);
// <sys/timerfd.h> would take `timespec` away from Swift's Glibc module.
extern int timerfd_create(int clock, int flags);
extern int timerfd_settime(
    int timer, int flags, const struct itimerspec *value, struct itimerspec *old);

#define SLUICE_RESULT(call) \
    do { \
        __typeof__(call) result = (call); \
        return result < 0 ? -errno : result; \
    } while (0)

static inline int sluice_epoll_create(void) { SLUICE_RESULT(epoll_create1(EPOLL_CLOEXEC)); }

/// Registers for life, edge-triggered; in both directions if room to send is of interest.
static inline int sluice_epoll_add(int epoll, int fd, uint64_t token, int room) {
    struct epoll_event event;
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET | (room ? EPOLLOUT : 0);
    event.data.u64 = token;
    SLUICE_RESULT(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

/// Reports room to send from now on, too; at once if there is some.
static inline int sluice_epoll_watch_room(int epoll, int fd, uint64_t token) {
    struct epoll_event event;
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = token;
    SLUICE_RESULT(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event));
}

static inline int sluice_epoll_wait(int epoll, struct epoll_event *events, int count, int ms) {
    SLUICE_RESULT(epoll_wait(epoll, events, count, ms));
}

static inline uint32_t sluice_event_flags(const struct epoll_event *event) {
    return event->events;
}
static inline uint64_t sluice_event_token(const struct epoll_event *event) {
    return event->data.u64;
}

/// A timer that is polled like a file, on the monotonic clock. TFD_* and EFD_* are the same bits.
static inline int sluice_timer(void) {
    SLUICE_RESULT(timerfd_create(CLOCK_MONOTONIC, EFD_CLOEXEC | EFD_NONBLOCK));
}
/// Lets it fire once, at a time of the monotonic clock above 0.
static inline int sluice_timer_set(int timer, int64_t nanoseconds) {
    struct itimerspec when = {{0, 0}, {nanoseconds / 1000000000, nanoseconds % 1000000000}};
    SLUICE_RESULT(timerfd_settime(timer, TIMER_ABSTIME, &when, 0));
}

static inline int sluice_eventfd(void) { SLUICE_RESULT(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }
static inline void sluice_eventfd_signal(int fd) {
    uint64_t one = 1;
    ssize_t ignored = write(fd, &one, sizeof one);
    (void)ignored;
}
static inline void sluice_eventfd_drain(int fd) {
    uint64_t value;
    ssize_t ignored = read(fd, &value, sizeof value);
    (void)ignored;
}

static inline int sluice_accept(int fd, struct sockaddr_storage *peer) {
    socklen_t length = sizeof *peer;
    SLUICE_RESULT(accept4(fd, (struct sockaddr *)peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

/// How many connections wait to be accepted; -1 where that cannot be known.
static inline int sluice_waiting(int listener) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &length) < 0) return -1;
    return (int)info.tcpi_unacked;
}

/// Shows connections to `accept` only once their first bytes have come, or so much time has passed;
/// with 0 at once.
static inline void sluice_defer_accept(int listener, int seconds) {
    (void)setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
}

static inline void sluice_no_delay(int fd) {
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// A listening socket; each loop binds its own to one address (SO_REUSEPORT).
static inline int sluice_listen(
    const struct sockaddr_storage *address, socklen_t length, int backlog, int shared
) {
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int on = 1;
    int failed = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0;
    if (!failed && shared)
        failed = setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0;
    if (!failed && address->ss_family == AF_INET6)
        failed = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0;
    // What it accepts inherits this.
    if (!failed) sluice_no_delay(fd);
    if (!failed) failed = bind(fd, (const struct sockaddr *)address, length) < 0;
    if (!failed) failed = listen(fd, backlog) < 0;
    if (failed) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

/// Starts a connection; the outcome arrives as writability.
static inline int sluice_connect(const struct sockaddr_storage *address, socklen_t length) {
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    sluice_no_delay(fd);
    if (connect(fd, (const struct sockaddr *)address, length) < 0 && errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

static inline int sluice_socket_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return -errno;
    return -error;
}

static inline int sluice_local_address(int fd, struct sockaddr_storage *address) {
    socklen_t length = sizeof *address;
    SLUICE_RESULT(getsockname(fd, (struct sockaddr *)address, &length));
}

static inline long sluice_receive(int fd, void *bytes, size_t count) {
    SLUICE_RESULT(recv(fd, bytes, count, 0));
}
static inline long sluice_send(int fd, const void *bytes, size_t count) {
    SLUICE_RESULT(send(fd, bytes, count, MSG_NOSIGNAL));
}

/// A pipe that takes up to a mebibyte where the system allows that; the second end is written to.
static inline int sluice_pipe(int *read_end, int *write_end) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) return -errno;
    (void)fcntl(ends[1], 1031 /* F_SETPIPE_SZ */, 1 << 20);
    *read_end = ends[0];
    *write_end = ends[1];
    return 0;
}
/// SPLICE_F_MOVE | SPLICE_F_NONBLOCK
static inline long sluice_splice(int from, int to, size_t count) {
    SLUICE_RESULT(splice(from, 0, to, 0, count, 3));
}

static inline int sluice_shutdown_write(int fd) { SLUICE_RESULT(shutdown(fd, SHUT_WR)); }

/// Closes at once with a reset, so that the peer cannot take what it has for a whole message.
static inline void sluice_reset(int fd) {
    struct linger now = {1, 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

static inline void sluice_name_thread(const char *name) {
    (void)pthread_setname_np(pthread_self(), name);
}

static inline int64_t sluice_clock(int clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
static inline int64_t sluice_monotonic_ns(void) { return sluice_clock(CLOCK_MONOTONIC); }
static inline int64_t sluice_wall_ns(void) { return sluice_clock(CLOCK_REALTIME); }

/// Raises the soft limit of descriptors to the hard one; returns the limit in force.
static inline int64_t sluice_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    if (limit.rlim_cur < limit.rlim_max) {
        rlim_t before = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0) limit.rlim_cur = before;
    }
    return (int64_t)limit.rlim_cur;
}

#endif
