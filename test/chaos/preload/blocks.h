/*
 * Which blocks of memory are alive: malloc and its kin of glibc, replaced. A hash of the blocks by the 64 KB page in which they
 * start, and a list of those that are larger than a page. Part of checker.c.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

#define SMALLEST 8
#define PAGE_BITS 16
#define BUCKETS (1u << 18)

struct block {
  uintptr_t start;
  size_t size;
  struct block *next;
};

static struct block *buckets[BUCKETS];
static struct block *large, *unused;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static unsigned bucket_of(uintptr_t address) {
  uintptr_t page = address >> PAGE_BITS;
  return (unsigned)((page * 0x9e3779b97f4a7c15ull) >> 40) & (BUCKETS - 1);
}

static struct block **list_of(uintptr_t start, size_t size) {
  return size > (1u << PAGE_BITS) ? &large : &buckets[bucket_of(start)];
}

static struct block *take(void) {
  if (unused == NULL) {
    size_t bytes = 1 << 20;
    struct block *more = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (more == MAP_FAILED) return NULL;
    for (size_t i = 0; i < bytes / sizeof *more; i++) {
      more[i].next = unused;
      unused = &more[i];
    }
  }
  struct block *one = unused;
  unused = one->next;
  return one;
}

static void born(void *at, size_t size) {
  if (at == NULL || size < SMALLEST) return;
  pthread_mutex_lock(&lock);
  struct block *one = take();
  if (one != NULL) {
    struct block **list = list_of((uintptr_t)at, size);
    *one = (struct block){(uintptr_t)at, size, *list};
    *list = one;
  }
  pthread_mutex_unlock(&lock);
}

static int forget_in(struct block **list, uintptr_t start) {
  for (struct block **at = list; *at != NULL; at = &(*at)->next) {
    struct block *one = *at;
    if (one->start != start) continue;
    *at = one->next;
    one->next = unused;
    unused = one;
    return 1;
  }
  return 0;
}

static void died(void *at) {
  if (at == NULL) return;
  pthread_mutex_lock(&lock);
  if (!forget_in(&buckets[bucket_of((uintptr_t)at)], (uintptr_t)at)) forget_in(&large, (uintptr_t)at);
  pthread_mutex_unlock(&lock);
}

static int holds(const struct block *one, uintptr_t start, size_t size) {
  return start >= one->start && size <= one->size && start - one->start <= one->size - size;
}

/* Is [start, start + size) part of one live block? */
static int is_live(uintptr_t start, size_t size) {
  int found = 0;
  pthread_mutex_lock(&lock);
  for (int back = 0; back <= 1 && !found; back++) {
    struct block *one = buckets[bucket_of(start - ((uintptr_t)back << PAGE_BITS))];
    for (; one != NULL && !found; one = one->next) found = holds(one, start, size);
  }
  for (struct block *one = large; one != NULL && !found; one = one->next) found = holds(one, start, size);
  pthread_mutex_unlock(&lock);
  return found;
}

void *malloc(size_t size) {
  void *at = __libc_malloc(size);
  born(at, size);
  return at;
}

void *calloc(size_t count, size_t size) {
  void *at = __libc_calloc(count, size);
  born(at, count * size);
  return at;
}

void *realloc(void *old, size_t size) {
  died(old);
  void *at = __libc_realloc(old, size);
  born(at, size);
  return at;
}

void *memalign(size_t align, size_t size) {
  void *at = __libc_memalign(align, size);
  born(at, size);
  return at;
}

void *aligned_alloc(size_t align, size_t size) { return memalign(align, size); }

int posix_memalign(void **out, size_t align, size_t size) {
  *out = memalign(align, size);
  return *out == NULL ? ENOMEM : 0;
}

void free(void *at) {
  int before = errno;
  died(at);
  __libc_free(at);
  errno = before;
}
