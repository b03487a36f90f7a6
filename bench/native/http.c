// A client of the HTTP server that stands beside a UDP socket: one request after the other on one connection.
//
//   http host=ADDR port=P ms=MS → requests, and how long they took
#include "common.h"
#include <netinet/tcp.h>
#include <poll.h>

#define MAX_LATENCIES (1 << 20)
#define PATIENCE_MS 5000
static const char REQUEST[] = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";
static uint32_t latencies[MAX_LATENCIES];

/** The answer ends with a body of two bytes, "ok". */
static int answered(int fd) {
  char text[2048];
  for (size_t have = 0; have < sizeof text - 1;) {
    struct pollfd waiting = {fd, POLLIN, 0};
    if (poll(&waiting, 1, PATIENCE_MS) != 1) return 0;
    ssize_t n = recv(fd, text + have, sizeof text - 1 - have, 0);
    if (n <= 0) return 0;
    have += n;
    text[have] = 0;
    if (strstr(text, "\r\n\r\nok")) return 1;
  }
  return 0;
}

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  struct sockaddr_storage to;
  socklen_t length = address_of(&to, text(argc, argv, "host", "127.0.0.1"), number(argc, argv, "port", 0));
  int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  if (connect(fd, (void *)&to, length)) die("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  long n = 0;
  int64_t first = now_ns(), end = first + number(argc, argv, "ms", 500) * 1000000;
  for (int64_t start; (start = now_ns()) < end && n < MAX_LATENCIES;) {
    if (send(fd, REQUEST, sizeof REQUEST - 1, 0) < 0 || !answered(fd)) { fprintf(stderr, "no answer to a request\n"); return 1; }
    latencies[n++] = (now_ns() - start) / 1000;
  }
  qsort(latencies, n, sizeof *latencies, ascending);
  printf("{\"requests\":%ld,\"perSecond\":%.0f,\"p50Us\":%u,\"p99Us\":%u}\n", n, n * 1e9 / (now_ns() - first), latencies[n / 2],
         latencies[n * 99 / 100]);
  return 0;
}
