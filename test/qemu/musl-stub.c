/*
 * What GNU's libstdc++ and libgcc_s take from glibc and musl has not. Debian has musl, but no C++ library for it, and Bun's
 * musl build wants one; with this, named as glibc's loader, musl's loader takes GNU's. Everything else is musl's own.
 */
char __libc_single_threaded = 0;

int getentropy(void *, unsigned long);
unsigned arc4random(void) {
  unsigned value;
  getentropy(&value, sizeof value);
  return value;
}

unsigned long strftime_l(char *, unsigned long, const char *, const void *, void *);
unsigned long __strftime_l(char *s, unsigned long n, const char *f, const void *t, void *l) {
  return strftime_l(s, n, f, t, l);
}

/* Destructors of thread-local objects do not run. */
int __cxa_thread_atexit_impl(void (*destroy)(void *), void *object, void *handle) { return 0; }

/* "Not found": the unwinder goes on to dl_iterate_phdr(3) then. */
int _dl_find_object(void *pc, void *result) { return -1; }

unsigned __cpu_model[4];
int __cpu_indicator_init(void) { return 0; }
