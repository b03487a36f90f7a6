// The other side of the one-way scenarios.
//
//   flood host=ADDR port=P rate=PER_SECOND size=BYTES ms=MS [burst=16] [asleep=1] [pid=SERVER] [cpu=N]
//     sends at that rate, in bursts as a network card delivers them; what arrived, the server says. With asleep=1 it
//     leaves its core to others between two bursts
//   flood sink=1 size=BYTES ms=MS [warm=MS] [gro=1] [peers=N] [pid=SERVER] [cpu=N]
//     prints the port it listens on at once, and what it heard in `ms` after the first datagram and `warm`. With gro=1
//     it takes runs that were sent with UDP_SEGMENT whole, as a network card would: nobody's CPU cuts them.
#include "common.h"
#include "meter.h"
#include <poll.h>

#define PATIENCE 3000000000LL
#define RECEIVE_BUFFER (64 << 20)
#define SK_MEMINFO_DROPS 8

static void send_at_rate(int argc, char **argv, struct meter *meter) {
  struct sockaddr_storage to;
  socklen_t length = address_of(&to, text(argc, argv, "host", "127.0.0.1"), number(argc, argv, "port", 0));
  int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (connect(fd, (void *)&to, length)) die("connect");
  int size = number(argc, argv, "size", 100);
  long burst = number(argc, argv, "burst", 16), rate = number(argc, argv, "rate", 100000);
  static char payload[MAX_PAYLOAD];
  if (burst * size > 65000) burst = 65000 / size;
  roomy(fd, SO_SNDBUFFORCE, SO_SNDBUF, 8 << 20);
  if (burst > 1) setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size);
  int asleep = number(argc, argv, "asleep", 0);
  int64_t first = now_ns(), end = first + number(argc, argv, "ms", 300) * 1000000, busy = 0;
  long sent = 0;
  meter_start(meter);
  for (int64_t t; (t = now_ns()) < end;) {
    if (sent >= (t - first) * (rate / 1e9)) {
      if (asleep) usleep(50);
      continue;
    }
    if (send(fd, payload, burst * size, 0) > 0) sent += burst;
    else if (errno == ECONNREFUSED) die("send");
    busy += now_ns() - t;
  }
  int64_t took = now_ns() - first;
  usleep(50000);
  meter_stop(meter);
  printf("{");
  meter_print(meter);
  printf("\"sent\":%ld,\"perSecond\":%.0f,\"loadBusy\":%.4f}\n", sent, sent * 1e9 / took, (double)busy / took);
}

static uint32_t drops(int fd) {
  uint32_t info[16] = {0};
  socklen_t length = sizeof info;
  getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &length);
  return info[SK_MEMINFO_DROPS];
}

static int open_sink(int argc, char **argv) {
  struct sockaddr_in any = {.sin_family = AF_INET};
  socklen_t length = sizeof any;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
  roomy(fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER);
  if (number(argc, argv, "gro", 0) && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on)) die("UDP_GRO");
  if (bind(fd, (void *)&any, sizeof any) || getsockname(fd, (void *)&any, &length)) die("bind");
  printf("{\"port\":%d}\n", ntohs(any.sin_port));
  fflush(stdout);
  return fd;
}

/** Bytes that one call brought, datagrams among them by size. Nothing is copied: MSG_TRUNC tells the length. */
static long take(int fd, long *bytes, int size) {
  static struct mmsghdr in[BATCH];
  static struct iovec iov[BATCH];
  long datagrams = 0;
  for (int i = 0; i < BATCH; i++) in[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 0};
  int n = recvmmsg(fd, in, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
  for (int i = 0; i < n; i++) {
    *bytes += in[i].msg_len;
    datagrams += (in[i].msg_len + size - 1) / size;
  }
  return datagrams;
}

static void hear(int argc, char **argv, struct meter *meter) {
  int fd = open_sink(argc, argv), size = number(argc, argv, "size", 100);
  int64_t warm = number(argc, argv, "warm", 100) * 1000000, ms = number(argc, argv, "ms", 300) * 1000000, busy = 0;
  long datagrams = 0, bytes = 0, ignored = 0;
  struct pollfd waiting = {fd, POLLIN, 0};
  if (poll(&waiting, 1, 10000) != 1) { fprintf(stderr, "nothing was sent\n"); exit(1); }
  for (int64_t until = now_ns() + warm; now_ns() < until;) take(fd, &ignored, size);
  uint32_t dropped = drops(fd);
  meter_start(meter);
  int64_t first = now_ns();
  for (int64_t t; (t = now_ns()) < first + ms || (datagrams == 0 && t < first + PATIENCE);) {
    long n = take(fd, &bytes, size);
    datagrams += n;
    if (n > 0) busy += now_ns() - t;
  }
  meter_stop(meter);
  printf("{");
  meter_print(meter);
  printf("\"datagrams\":%ld,\"bytes\":%ld,\"dropped\":%u,\"loadBusy\":%.4f}\n", datagrams, bytes, drops(fd) - dropped,
         (double)busy / meter->wall_ns);
}

int main(int argc, char **argv) {
  struct meter meter;
  stay_on(number(argc, argv, "cpu", -1));
  meter_open(&meter, number(argc, argv, "pid", 0));
  if (number(argc, argv, "sink", 0)) hear(argc, argv, &meter);
  else send_at_rate(argc, argv, &meter);
  return 0;
}
