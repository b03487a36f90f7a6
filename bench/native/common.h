// What the three programs share: key=value arguments, the clock, addresses.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define BATCH 64
#define MAX_PAYLOAD 65536

/** The value of `key=` among the words, or the default. */
static inline const char *text(int count, char **words, const char *key, const char *otherwise) {
  size_t length = strlen(key);
  for (int i = 0; i < count; i++)
    if (strncmp(words[i], key, length) == 0 && words[i][length] == '=') return words[i] + length + 1;
  return otherwise;
}

static inline long number(int count, char **words, const char *key, long otherwise) {
  const char *value = text(count, words, key, NULL);
  return value == NULL ? otherwise : atol(value);
}

static inline int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline void die(const char *what) {
  perror(what);
  exit(1);
}

/** Keeps to one core; -1 leaves it to the scheduler. */
static inline void stay_on(long cpu) {
  cpu_set_t set;
  if (cpu < 0) return;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

static inline socklen_t address_of(struct sockaddr_storage *to, const char *host, int port) {
  memset(to, 0, sizeof *to);
  if (strchr(host, ':')) {
    struct sockaddr_in6 *a = (void *)to;
    a->sin6_family = AF_INET6;
    a->sin6_port = htons(port);
    if (inet_pton(AF_INET6, host, &a->sin6_addr) != 1) die(host);
    return sizeof *a;
  }
  struct sockaddr_in *a = (void *)to;
  a->sin_family = AF_INET;
  a->sin_port = htons(port);
  if (inet_pton(AF_INET, host, &a->sin_addr) != 1) die(host);
  return sizeof *a;
}

/** The i-th of many addresses in 127/8, 127.1.0.1 onwards; never .0 or .255. */
static inline uint32_t peer_address(int i) { return htonl(0x7f010000u + (uint32_t)(i / 250) * 256 + i % 250 + 1); }

/** The i-th of many addresses in fd00:bec::/64, which ../network.ts makes addresses of its own loopback. */
static inline struct in6_addr peer_address6(int i) {
  struct in6_addr a = {.s6_addr = {0xfd, 0, 0x0b, 0xec}};
  uint32_t host = htonl((uint32_t)i + 0x10000);
  memcpy(&a.s6_addr[12], &host, sizeof host);
  return a;
}

/** Walks all of `n` in an order that repeats as late as possible and has no neighbours next to each other. */
struct round { uint64_t n, at, step; };

static inline uint64_t common_divisor(uint64_t a, uint64_t b) {
  while (b != 0) { uint64_t rest = a % b; a = b; b = rest; }
  return a;
}

static inline struct round round_of(uint64_t n, uint64_t start) {
  struct round r = {n, start % n, (uint64_t)(n * 0.6180339887) + 1};
  while (common_divisor(n, r.step) != 1) r.step++;
  return r;
}

static inline uint64_t round_next(struct round *r) { return r->at = (r->at + r->step) % r->n; }

/** Room in the queue, whoever is root; what net.core allows otherwise. */
static inline void roomy(int fd, int option_force, int option, int bytes) {
  if (setsockopt(fd, SOL_SOCKET, option_force, &bytes, sizeof bytes)) setsockopt(fd, SOL_SOCKET, option, &bytes, sizeof bytes);
}
