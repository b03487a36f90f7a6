// What another process spends: its CPU time to the nanosecond (its CPU clock, exited threads included), and the share of
// it that is spent in user mode. The kernel's own split (utime/stime, getrusage) counts ticks of 4 ms where
// CONFIG_TICK_CPU_ACCOUNTING is set, so the share is sampled here with the cpu-clock of perf_event_open, at a rate that
// is no multiple of the tick. Where that is forbidden (kernel.perf_event_paranoid > 1, not root) the share is unknown.
#pragma once
#include "common.h"
#include <dirent.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define METER_THREADS 24
#define METER_PAGES 64
#define METER_HZ 3989

struct meter {
  pid_t pid;
  clockid_t clock;
  int threads;
  int fds[METER_THREADS];
  struct perf_event_mmap_page *rings[METER_THREADS];
  int64_t cpu_at_start, wall_at_start;
  int64_t cpu_ns, wall_ns;
  long user, kernel, lost;
};

static inline int64_t meter_cpu(const struct meter *m) {
  struct timespec t;
  if (m->pid == 0 || clock_gettime(m->clock, &t)) return 0;
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline void meter_thread(struct meter *m, pid_t tid) {
  struct perf_event_attr a = {0};
  a.size = sizeof a;
  a.type = PERF_TYPE_SOFTWARE;
  a.config = PERF_COUNT_SW_CPU_CLOCK;
  a.freq = 1;
  a.sample_freq = METER_HZ;
  a.disabled = 1;
  a.wakeup_events = 1 << 30;
  int fd = syscall(SYS_perf_event_open, &a, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd < 0) return;
  void *ring = mmap(NULL, (1 + METER_PAGES) * sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (ring == MAP_FAILED) {
    close(fd);
    return;
  }
  m->fds[m->threads] = fd;
  m->rings[m->threads++] = ring;
}

/** pid 0: measures nothing. The main thread comes first, so it is the one that is sampled where room is short. */
static inline void meter_open(struct meter *m, pid_t pid) {
  char path[64];
  memset(m, 0, sizeof *m);
  m->pid = pid;
  if (pid == 0) return;
  if (clock_getcpuclockid(pid, &m->clock)) die("clock_getcpuclockid");
  meter_thread(m, pid);
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *tasks = opendir(path);
  for (struct dirent *e; tasks != NULL && m->threads > 0 && m->threads < METER_THREADS && (e = readdir(tasks));) {
    pid_t tid = atoi(e->d_name);
    if (tid > 0 && tid != pid) meter_thread(m, tid);
  }
  if (tasks != NULL) closedir(tasks);
}

static inline void meter_start(struct meter *m) {
  for (int i = 0; i < m->threads; i++) ioctl(m->fds[i], PERF_EVENT_IOC_ENABLE, 0);
  m->cpu_at_start = meter_cpu(m);
  m->wall_at_start = now_ns();
}

/** Counts the samples of one ring by the mode they were taken in. Samples carry nothing else: eight bytes each. */
static inline void meter_drain(struct meter *m, struct perf_event_mmap_page *ring) {
  uint64_t head = __atomic_load_n(&ring->data_head, __ATOMIC_ACQUIRE);
  const char *data = (const char *)ring + ring->data_offset;
  for (uint64_t at = ring->data_tail; at < head;) {
    const struct perf_event_header *h = (const void *)(data + at % ring->data_size);
    if (h->type == PERF_RECORD_SAMPLE && (h->misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_USER) m->user++;
    else if (h->type == PERF_RECORD_SAMPLE) m->kernel++;
    else if (h->type == PERF_RECORD_LOST) m->lost++;
    at += h->size;
  }
  __atomic_store_n(&ring->data_tail, head, __ATOMIC_RELEASE);
}

static inline void meter_stop(struct meter *m) {
  m->cpu_ns = meter_cpu(m) - m->cpu_at_start;
  m->wall_ns = now_ns() - m->wall_at_start;
  for (int i = 0; i < m->threads; i++) {
    ioctl(m->fds[i], PERF_EVENT_IOC_DISABLE, 0);
    meter_drain(m, m->rings[i]);
  }
}

/** As members of a JSON object. userShare is null where nobody may sample. */
static inline void meter_print(const struct meter *m) {
  printf("\"wallNs\":%lld,\"serverCpuNs\":%lld,\"samples\":%ld,", (long long)m->wall_ns, (long long)m->cpu_ns, m->user + m->kernel);
  if (m->user + m->kernel > 0) printf("\"userShare\":%.5f,", (double)m->user / (m->user + m->kernel));
  else printf("\"userShare\":null,");
}
