/*
 * Stands between koffi and libc (LD_PRELOAD) and looks at every msghdr on its way: does each pointer lead into one live
 * block of memory, with all the bytes that its length promises; do no two of them overlap; is every field what the manual
 * pages ask for? What the kernel has not written is overwritten with POISON, so that whoever reads it is found out.
 *
 * Which blocks are alive is known to blocks.h. The first violation is told on stderr and aborts.
 * CHECKER_LOG=file: what was checked, as JSON, when the process ends. CHECKER_SHORT=seed: now and then batches are cut
 * short and calls are interrupted (EINTR), as a kernel may do.
 *
 * cc -O2 -shared -fPIC -o checker.so checker.c -lpthread        glibc, 64 bits
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "blocks.h"

#define POISON 0xa5
/* Enough to be found out by; rings are megabytes, and calls are many. */
#define POISON_BYTES 512
#define MAX_MESSAGES 1024

static struct {
  _Atomic unsigned long calls, messages, pointers, poisoned, shortened;
} seen;

/* ── what is wrong ──────────────────────────────────────────────────────────────────────────────────────────────────── */

#define WRONG(...)                          \
  do {                                      \
    char text[256];                         \
    snprintf(text, sizeof text, __VA_ARGS__); \
    complain(call, text);                   \
  } while (0)

static void complain(const char *call, const char *text) {
  char line[400];
  int length = snprintf(line, sizeof line, "checker: %s: %s\n", call, text);
  if (write(2, line, (size_t)length) < 0) _exit(99);
  abort();
}

struct region {
  uintptr_t start;
  size_t size;
  const char *what;
  unsigned slot;
};

/* One call at a time: none of them blocks, and thread-local arrays would be too large for the smaller stacks of Node. */
static pthread_mutex_t calling = PTHREAD_MUTEX_INITIALIZER;
static struct region regions[MAX_MESSAGES * 5 + 1];
static size_t region_count;

static void region(const char *call, const void *at, size_t size, const char *what, unsigned slot) {
  seen.pointers++;
  if (size == 0) return;
  if (!is_live((uintptr_t)at, size)) WRONG("%s of message %u: %zu bytes at %p are in no block", what, slot, size, at);
  regions[region_count++] = (struct region){(uintptr_t)at, size, what, slot};
}

static int by_start(const void *a, const void *b) {
  const struct region *one = a, *other = b;
  return one->start < other->start ? -1 : one->start > other->start;
}

static void check_overlap(const char *call) {
  qsort(regions, region_count, sizeof *regions, by_start);
  for (size_t i = 1; i < region_count; i++) {
    const struct region *one = &regions[i - 1], *next = &regions[i];
    if (one->start + one->size > next->start)
      WRONG("%s of message %u overlaps %s of message %u", one->what, one->slot, next->what, next->slot);
  }
}

/* cmsg(3): each message has a header, and room for what it says. */
static void check_control(const char *call, const struct msghdr *msg, unsigned slot) {
  const unsigned char *at = msg->msg_control;
  size_t left = msg->msg_controllen;
  while (left > 0) {
    if (left < sizeof(struct cmsghdr)) WRONG("control of message %u: %zu bytes behind the last one", slot, left);
    struct cmsghdr header;
    memcpy(&header, at, sizeof header);
    if (header.cmsg_len < sizeof header || header.cmsg_len > left)
      WRONG("control of message %u: cmsg_len %zu, and %zu bytes are left", slot, (size_t)header.cmsg_len, left);
    if (header.cmsg_level != IPPROTO_IP && header.cmsg_level != IPPROTO_IPV6 && header.cmsg_level != SOL_SOCKET &&
        header.cmsg_level != IPPROTO_UDP)
      WRONG("control of message %u: cmsg_level %d", slot, header.cmsg_level);
    size_t whole = CMSG_ALIGN(header.cmsg_len);
    if (whole > left) whole = left;
    at += whole;
    left -= whole;
  }
}

/* @param sending is what the kernel reads; else it is what it writes to */
static void check_message(const char *call, const struct msghdr *msg, unsigned slot, int sending) {
  seen.messages++;
  if ((msg->msg_name == NULL) != (msg->msg_namelen == 0)) WRONG("name %p of message %u has %u bytes", msg->msg_name, slot, msg->msg_namelen);
  if ((msg->msg_control == NULL) != (msg->msg_controllen == 0))
    WRONG("control %p of message %u has %zu bytes", msg->msg_control, slot, (size_t)msg->msg_controllen);
  if (msg->msg_flags != 0) WRONG("msg_flags %#x of message %u", (unsigned)msg->msg_flags, slot);
  if (msg->msg_namelen > sizeof(struct sockaddr_storage)) WRONG("msg_namelen %u of message %u", msg->msg_namelen, slot);
  if (msg->msg_controllen > 4096) WRONG("msg_controllen %zu of message %u", (size_t)msg->msg_controllen, slot);
  if (msg->msg_iovlen == 0 || msg->msg_iovlen > 4) WRONG("msg_iovlen %zu of message %u", (size_t)msg->msg_iovlen, slot);
  region(call, msg->msg_name, msg->msg_namelen, "name", slot);
  region(call, msg->msg_control, msg->msg_controllen, "control", slot);
  region(call, msg->msg_iov, msg->msg_iovlen * sizeof(struct iovec), "iovec", slot);
  size_t total = 0;
  for (size_t i = 0; i < msg->msg_iovlen; i++) {
    region(call, msg->msg_iov[i].iov_base, msg->msg_iov[i].iov_len, "payload", slot);
    total += msg->msg_iov[i].iov_len;
  }
  if (total > 1 << 17) WRONG("message %u has %zu bytes", slot, total);
  if (!sending) return;
  if (msg->msg_name != NULL) {
    int family = ((const struct sockaddr *)msg->msg_name)->sa_family;
    socklen_t needed = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (family != AF_INET && family != AF_INET6) WRONG("sa_family %d of message %u", family, slot);
    if (msg->msg_namelen < needed) WRONG("msg_namelen %u of message %u", msg->msg_namelen, slot);
  }
  check_control(call, msg, slot);
}

static void check_batch(const char *call, struct mmsghdr *messages, unsigned count, int sending) {
  seen.calls++;
  region_count = 0;
  if (count == 0 || count > MAX_MESSAGES) WRONG("%u messages", count);
  region(call, messages, count * sizeof *messages, "array", 0);
  for (unsigned i = 0; i < count; i++) check_message(call, &messages[i].msg_hdr, i, sending);
  check_overlap(call);
}

static void check_one(const char *call, struct msghdr *message, int sending) {
  seen.calls++;
  region_count = 0;
  region(call, message, sizeof *message, "message", 0);
  check_message(call, message, 0, sending);
  check_overlap(call);
}

static void poison(void *at, size_t size) {
  if (at == NULL) return;
  size_t bytes = size < POISON_BYTES ? size : POISON_BYTES;
  memset(at, POISON, bytes);
  seen.poisoned += bytes;
}

/* What the kernel has not written. */
static void poison_rest(const struct msghdr *before, const struct msghdr *msg, size_t length) {
  if (msg->msg_namelen < before->msg_namelen)
    poison((char *)msg->msg_name + msg->msg_namelen, before->msg_namelen - msg->msg_namelen);
  if (msg->msg_controllen < before->msg_controllen)
    poison((char *)msg->msg_control + msg->msg_controllen, before->msg_controllen - msg->msg_controllen);
  for (size_t i = 0; i < msg->msg_iovlen; i++) {
    size_t size = msg->msg_iov[i].iov_len;
    size_t kept = length < size ? length : size;
    poison((char *)msg->msg_iov[i].iov_base + kept, size - kept);
    length -= kept;
  }
}

/* ── now and then less than could be ────────────────────────────────────────────────────────────────────────────────── */

static unsigned long state;

static unsigned random_below(unsigned limit) {
  state = state * 6364136223846793005ul + 1442695040888963407ul;
  return (unsigned)(state >> 33) % limit;
}

/* → 1: interrupted */
static int disturb(unsigned *count) {
  if (state == 0) return 0;
  if (random_below(8) == 0 && *count > 1) {
    *count = 1 + random_below(*count - 1);
    seen.shortened++;
  }
  if (random_below(32) != 0) return 0;
  errno = EINTR;
  return 1;
}

/* ── the calls ──────────────────────────────────────────────────────────────────────────────────────────────────────── */

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
  static __thread struct {
    const char *name;
    void *at;
  } known[4];
  for (int i = 0; i < 4; i++) {
    if (known[i].name == name) return known[i].at;
    if (known[i].name != NULL) continue;
    known[i].name = name;
    known[i].at = dlsym(RTLD_NEXT, name);
    return known[i].at;
  }
  return dlsym(RTLD_NEXT, name);
}

static int receive(int fd, struct mmsghdr *messages, unsigned count, int flags) {
  static struct msghdr before[MAX_MESSAGES];
  check_batch("recvmmsg", messages, count, 0);
  unsigned asked = count;
  if (disturb(&count)) return -1;
  for (unsigned i = 0; i < asked; i++) before[i] = messages[i].msg_hdr;
  int filled = REAL(recvmmsg)(fd, messages, count, flags, NULL);
  int error = errno;
  unsigned used = filled < 0 ? 0 : (unsigned)filled;
  for (unsigned i = 0; i < used; i++) poison_rest(&before[i], &messages[i].msg_hdr, messages[i].msg_len);
  for (unsigned i = used; i < asked && i < used + 2; i++) {
    poison(before[i].msg_name, before[i].msg_namelen);
    poison(before[i].msg_control, before[i].msg_controllen);
    poison(before[i].msg_iov[0].iov_base, before[i].msg_iov[0].iov_len);
  }
  errno = error;
  return filled;
}

static int transmit(int fd, struct mmsghdr *messages, unsigned count, int flags) {
  check_batch("sendmmsg", messages, count, 1);
  if (disturb(&count)) return -1;
  int sent = REAL(sendmmsg)(fd, messages, count, flags);
  int error = errno;
  /* Gone is gone: who sends it again sends poison. */
  for (int i = 0; i < sent; i++)
    poison(messages[i].msg_hdr.msg_iov[0].iov_base, messages[i].msg_hdr.msg_iov[0].iov_len);
  errno = error;
  return sent;
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout) {
  if (timeout != NULL || (flags & MSG_DONTWAIT) == 0) complain("recvmmsg", "it may block");
  pthread_mutex_lock(&calling);
  int filled = receive(fd, messages, count, flags);
  pthread_mutex_unlock(&calling);
  return filled;
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
  /* Newer libuv sends by it as well, from its stack. */
  if ((flags & MSG_DONTWAIT) == 0) return REAL(sendmmsg)(fd, messages, count, flags);
  pthread_mutex_lock(&calling);
  int sent = transmit(fd, messages, count, flags);
  pthread_mutex_unlock(&calling);
  return sent;
}

/* Libuv receives and sends by these, from its stack and V8's heap: only ours, with MSG_DONTWAIT, is looked at. */
ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
  if ((flags & MSG_DONTWAIT) == 0) return REAL(recvmsg)(fd, message, flags);
  pthread_mutex_lock(&calling);
  check_one("recvmsg", message, 0);
  struct msghdr before = *message;
  ssize_t length = REAL(recvmsg)(fd, message, flags);
  int error = errno;
  if (length >= 0) poison_rest(&before, message, (size_t)length);
  pthread_mutex_unlock(&calling);
  errno = error;
  return length;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  if ((flags & MSG_DONTWAIT) == 0) return REAL(sendmsg)(fd, message, flags);
  pthread_mutex_lock(&calling);
  check_one("sendmsg", (struct msghdr *)message, 1);
  ssize_t length = REAL(sendmsg)(fd, message, flags);
  int error = errno;
  pthread_mutex_unlock(&calling);
  errno = error;
  return length;
}

__attribute__((constructor)) static void begin(void) {
  const char *seed = getenv("CHECKER_SHORT");
  if (seed != NULL) state = strtoul(seed, NULL, 10) * 2 + 1;
}

__attribute__((destructor)) static void end(void) {
  const char *path = getenv("CHECKER_LOG");
  if (path == NULL || seen.calls == 0) return;
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return;
  dprintf(fd, "{\"calls\":%lu,\"messages\":%lu,\"pointers\":%lu,\"poisoned\":%lu,\"shortened\":%lu}\n", seen.calls,
          seen.messages, seen.pointers, seen.poisoned, seen.shortened);
  close(fd);
}
