// Load for the echo scenarios: keeps `inflight` datagrams on the way to one server, in batches, and counts what comes
// back. Ends after `count` echoes, or when the server has been silent for a second (then the window is sent anew once
// and what was lost is counted). Usage: load HOST PORT INFLIGHT COUNT SIZE → one line of JSON.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }

int main(int argc, char **argv) {
  if (argc < 6) { fprintf(stderr, "usage: load HOST PORT INFLIGHT COUNT SIZE\n"); return 64; }
  int inflight = atoi(argv[3]); long count = atol(argv[4]); int size = atoi(argv[5]);
  struct sockaddr_in6 a6 = {0}; struct sockaddr_in a4 = {0}; struct sockaddr *to; socklen_t tolen;
  if (strchr(argv[1], ':')) { a6.sin6_family = AF_INET6; a6.sin6_port = htons(atoi(argv[2])); inet_pton(AF_INET6, argv[1], &a6.sin6_addr); to = (void *)&a6; tolen = sizeof a6; }
  else { a4.sin_family = AF_INET; a4.sin_port = htons(atoi(argv[2])); inet_pton(AF_INET, argv[1], &a4.sin_addr); to = (void *)&a4; tolen = sizeof a4; }
  int fd = socket(to->sa_family, SOCK_DGRAM, 0); int buf = 8 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buf, sizeof buf); setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buf, sizeof buf);
  if (connect(fd, to, tolen)) { perror("connect"); return 1; }
  static char out[65536], in[BATCH][2048]; memset(out, 'x', sizeof out);
  struct iovec so = {out, size}, si[BATCH]; struct mmsghdr ms[BATCH] = {0}, mr[BATCH] = {0};
  for (int i = 0; i < BATCH; i++) { ms[i].msg_hdr.msg_iov = &so; ms[i].msg_hdr.msg_iovlen = 1; si[i] = (struct iovec){in[i], sizeof in[i]}; mr[i].msg_hdr.msg_iov = &si[i]; mr[i].msg_hdr.msg_iovlen = 1; }
  long echoed = 0, sent = 0, lost = 0; int credit = inflight; double start = now();
  while (echoed < count) {
    while (credit > 0) { int n = sendmmsg(fd, ms, credit < BATCH ? credit : BATCH, 0); if (n <= 0) { if (errno == ECONNREFUSED) { perror("send"); return 1; } break; } credit -= n; sent += n; }
    int n = recvmmsg(fd, mr, BATCH, MSG_DONTWAIT, NULL);
    if (n > 0) { echoed += n; credit += n; continue; }
    struct pollfd p = {fd, POLLIN, 0};
    if (poll(&p, 1, 1000) == 0) { lost += inflight - credit; if (lost > 20L * inflight) break; credit = inflight; }
  }
  double s = now() - start;
  printf("{\"echoed\":%ld,\"lost\":%ld,\"seconds\":%.6f,\"perSecond\":%.0f}\n", echoed, lost, s, echoed / s);
  return 0;
}
