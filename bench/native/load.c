// The clients of the echo scenarios. Written so that it has room where the server has none: it never sleeps on its core,
// sends runs with UDP_SEGMENT (one pass through IP for up to 64 datagrams, which the server's socket still gets one by
// one), and looks at no more than the first 16 bytes of what comes back. It reports how much of its time had work in it.
//
//   load host=ADDR ports=P[,P…] size=BYTES ms=MS [warm=MS] [pid=SERVER] [cpu=N]
//        inflight=N                keeps N datagrams on the way (closed loop)
//        rate=PER_SECOND           sends at that rate whatever comes back (open loop; latency from the intended time)
//        burst=N gap=MS [apart=NS] sends N as fast as it can, or so many ns apart, every gap (open loop)
//        peers=N                   from N source addresses, and 8 ports, instead of one connected socket
//        sizes=dns                 a mix of sizes instead of one
//        silent=1                  the server only listens: bursts end in time, and it says what it has heard
//
// A connected socket takes answers from the asked address only, so counting them proves where they come from; with many
// peers the first of each batch is looked at, and is `wrong` when it came from elsewhere.
// A datagram carries its number and its time. Numbers that are passed over are lost, and replaced at once.
#include "clients.h"
#include "meter.h"

#define SILENCE 200000000LL
#define PATIENCE 3000000000LL
#define MAX_LATENCIES (4 << 20)

struct stamp { uint64_t number; int64_t at; };

static struct { long sent, echoed, lost, wrong; int64_t busy; } count;
static uint64_t next_number, expected;
static uint32_t *latencies;
static long latency_count;
static int measuring, silent;

static char out[BATCH][MAX_PAYLOAD];
static struct iovec out_iov[BATCH], in_iov[BATCH];
static struct stamp in[BATCH];
static struct mmsghdr out_msg[BATCH], in_msg[BATCH];
static char out_control[BATCH][SOURCE_CONTROL];
/** Of the first of each batch: an unconnected socket takes answers from anywhere, so they are looked at. */
static struct sockaddr_storage answered_from;

static void lay_out(void) {
  for (int i = 0; i < BATCH; i++) {
    memset(out[i], 'x', sizeof out[i]);
    out_iov[i] = (struct iovec){out[i], net.size};
    out_msg[i].msg_hdr = (struct msghdr){.msg_iov = &out_iov[i], .msg_iovlen = 1};
    in_iov[i] = (struct iovec){&in[i], sizeof in[i]};
    in_msg[i].msg_hdr = (struct msghdr){.msg_iov = &in_iov[i], .msg_iovlen = 1};
    if (net.peers > 1 && i == 0) in_msg[i].msg_hdr.msg_name = &answered_from;
    if (net.peers > 1) lay_out_source(&out_msg[i].msg_hdr, out_control[i]);
  }
}

static void stamp(void *payload, int64_t at) {
  struct stamp s = {next_number++, at};
  memcpy(payload, &s, sizeof s);
}

/** Equal datagrams to one peer in one call: the segments lie one after the other. */
static int send_run(int n, int64_t at) {
  char control[CMSG_SPACE(sizeof(uint16_t))] = {0};
  struct iovec iov = {out[0], (size_t)n * net.size};
  struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *c = CMSG_FIRSTHDR(&m);
  *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(uint16_t)), .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT};
  *(uint16_t *)CMSG_DATA(c) = net.size;
  uint64_t first = next_number;
  for (int i = 0; i < n; i++) stamp(out[0] + (size_t)i * net.size, at);
  if (sendmsg(net.fds[0], &m, 0) >= 0) return n;
  if (errno == ECONNREFUSED) die("send");
  next_number = first;
  return 0;
}

static int send_batch(int n, int64_t at, int64_t step) {
  static int whose;
  static long sent_by[SOCKETS];
  uint64_t first = next_number;
  // Batches differ in length, and all peers are to be heard equally often.
  int socket = 0;
  for (int i = 1; i < net.sockets; i++) if (sent_by[i] < sent_by[socket]) socket = i;
  for (int i = 0; i < n; i++) {
    out_iov[i].iov_len = size_of(next_number);
    stamp(out[i], at + i * step);
    if (net.peers == 1 && net.ports == 1) continue;
    out_msg[i].msg_hdr.msg_name = &net.to[whose++ % net.ports];
    out_msg[i].msg_hdr.msg_namelen = net.tolen;
    if (net.peers > 1) choose_source(&out_msg[i].msg_hdr, socket);
  }
  int done = sendmmsg(net.fds[socket], out_msg, n, 0);
  if (done < 0 && errno == ECONNREFUSED) die("send");
  if (done < 0) done = 0;
  sent_by[socket] += done;
  next_number = first + done;
  return done;
}

static int send_some(int n, int64_t at, int64_t step) {
  int room = 65000 / net.size;
  if (n > BATCH) n = BATCH;
  int segmentable = step == 0 && net.peers == 1 && net.ports == 1 && n > 1 && net.size <= 1400 && !net.mixed;
  if (segmentable && n > room) n = room;
  int done = segmentable ? send_run(n, at) : send_batch(n, at, step);
  count.sent += done;
  return done;
}

/** What has come back, at most a batch of each socket. → how many may be sent anew: echoes, and losses seen */
static int receive_some(void) {
  int credit = 0;
  for (int s = 0; s < net.sockets; s++) {
    in_msg[0].msg_hdr.msg_namelen = sizeof answered_from;
    int n = recvmmsg(net.fds[s], in_msg, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
    if (n <= 0) continue;
    int64_t now = latencies == NULL ? 0 : now_ns();
    if (net.sockets > 1 && memcmp(&answered_from, &net.to[0], source_length()) != 0) count.wrong++;
    for (int i = 0; i < n; i++) {
      if ((int)in_msg[i].msg_len != size_of(in[i].number)) count.wrong++;
      if (measuring && latencies != NULL && latency_count < MAX_LATENCIES) latencies[latency_count++] = now - in[i].at;
      if (net.peers > 1 || net.ports > 1) continue;
      if (in[i].number < expected) { count.lost--; credit--; continue; }
      count.lost += in[i].number - expected;
      credit += in[i].number - expected;
      expected = in[i].number + 1;
    }
    count.echoed += n;
    credit += n;
  }
  return credit;
}

/** One closed loop until `deadline`, and for as long as nothing has come back at all. → credit that is left */
static int keep_in_flight(int inflight, int credit, int64_t deadline) {
  int run = inflight / 4 > 16 ? 16 : inflight / 4 > 1 ? inflight / 4 : 1;
  int64_t heard = now_ns();
  for (;;) {
    int64_t start = now_ns();
    if (start >= deadline && (count.echoed > 0 || start >= deadline + PATIENCE)) return credit;
    int got = receive_some();
    credit += got;
    if (got != 0) heard = start;
    int worked = got != 0;
    while (credit >= run) {
      int n = send_some(credit, start, 0);
      if (n == 0) break;
      credit -= n;
      worked = 1;
    }
    if (worked) count.busy += now_ns() - start;
    else if (start - heard > SILENCE) { count.lost += inflight - credit; expected = next_number; credit = inflight; heard = start; }
  }
}

static void keep_rate(long rate, int64_t ms) {
  int64_t first = now_ns(), end = first + ms * 1000000, step = 1000000000LL / rate;
  for (int64_t n = 0;;) {
    int64_t start = now_ns();
    if (start >= end && (count.echoed > 0 || start >= end + PATIENCE)) return;
    int worked = receive_some() != 0;
    int64_t due = (start - first) / step - n;
    if (due > 0 && start < end) {
      int done = send_some(due > BATCH ? BATCH : due, first + n * step, step);
      n += done;
      worked |= done > 0;
    }
    if (worked) count.busy += now_ns() - start;
  }
}

/** Each burst without reading, as a router that was held up delivers them. */
static void keep_bursts(long burst, int64_t apart, int64_t gap, int64_t ms) {
  int64_t first = now_ns(), end = first + ms * 1000000;
  for (int64_t start = first; start < end || (count.echoed == 0 && !silent && start < end + PATIENCE); start += gap * 1000000) {
    for (long left = burst; left > 0;) {
      while (apart > 0 && now_ns() < start + (burst - left) * apart);
      left -= send_batch(apart > 0 ? 1 : left > BATCH ? BATCH : left, start, 0);
    }
    count.sent += burst;
    count.busy += now_ns() - start;
    while (now_ns() < start + gap * 1000000) receive_some();
  }
}

static void settle(void) {
  int64_t quiet = now_ns();
  while (now_ns() - quiet < 20000000LL) if (receive_some() != 0) quiet = now_ns();
}

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static void print_latency(void) {
  if (latencies == NULL || latency_count == 0) return;
  qsort(latencies, latency_count, sizeof *latencies, ascending);
  printf("\"p50Ns\":%u,\"p99Ns\":%u,\"p999Ns\":%u,", latencies[latency_count / 2], latencies[latency_count * 99 / 100],
         latencies[latency_count * 999 / 1000]);
}

int main(int argc, char **argv) {
  struct meter meter;
  long inflight = number(argc, argv, "inflight", 64), rate = number(argc, argv, "rate", 0), burst = number(argc, argv, "burst", 0);
  int64_t ms = number(argc, argv, "ms", 500), warm = number(argc, argv, "warm", 100), gap = number(argc, argv, "gap", 50), apart = number(argc, argv, "apart", 0);
  silent = number(argc, argv, "silent", 0);
  stay_on(number(argc, argv, "cpu", -1));
  open_clients(argc, argv);
  lay_out();
  meter_open(&meter, number(argc, argv, "pid", 0));
  if (rate > 0 || inflight == 1) latencies = malloc(MAX_LATENCIES * sizeof *latencies);
  int credit = inflight;
  if (burst > 0) keep_bursts(burst, apart, gap, warm);
  else if (rate > 0) keep_rate(rate, warm);
  else credit = keep_in_flight(inflight, credit, now_ns() + warm * 1000000);
  memset(&count, 0, sizeof count);
  measuring = 1;
  meter_start(&meter);
  if (burst > 0) keep_bursts(burst, apart, gap, ms);
  else if (rate > 0) keep_rate(rate, ms);
  else keep_in_flight(inflight, credit, now_ns() + ms * 1000000);
  meter_stop(&meter);
  measuring = 0;
  long echoed = count.echoed, lost = count.lost;
  settle();
  // Where what is sent does not depend on what came back, all that has not come back is lost.
  if (burst > 0 || rate > 0) lost = count.sent > count.echoed ? count.sent - count.echoed : 0;
  printf("{");
  meter_print(&meter);
  print_latency();
  printf("\"sent\":%ld,\"echoed\":%ld,\"lost\":%ld,\"wrong\":%ld,\"loadBusy\":%.4f}\n", count.sent, echoed, lost, count.wrong,
         (double)count.busy / meter.wall_ns);
  return 0;
}
