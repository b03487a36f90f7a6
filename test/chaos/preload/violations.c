/* What checker.c must find: one violation, by its number, or with 0 a call that is as it should be. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOTS 4
#define SIZE 64

int main(int argc, char **argv) {
  int which = argc > 1 ? atoi(argv[1]) : 0;
  struct mmsghdr *messages = calloc(SLOTS, sizeof *messages);
  struct iovec *iovecs = calloc(SLOTS, sizeof *iovecs);
  struct sockaddr_in *names = calloc(SLOTS, sizeof *names);
  char *payload = calloc(SLOTS, SIZE), *control = calloc(SLOTS, SIZE);
  for (int i = 0; i < SLOTS; i++) {
    iovecs[i] = (struct iovec){payload + i * SIZE, SIZE};
    names[i].sin_family = AF_INET;
    messages[i].msg_hdr = (struct msghdr){
        .msg_name = &names[i], .msg_namelen = sizeof names[i], .msg_iov = &iovecs[i], .msg_iovlen = 1};
  }
  struct msghdr *last = &messages[SLOTS - 1].msg_hdr;
  struct cmsghdr header = {.cmsg_len = 32, .cmsg_level = IPPROTO_IP, .cmsg_type = 8};
  memcpy(control, &header, sizeof header);
  int flags = MSG_DONTWAIT, sending = 0, count = SLOTS;
  switch (which) {
    case 1: iovecs[SLOTS - 1].iov_len++; break;                       /* behind its block */
    case 2: iovecs[1].iov_base = payload + 1; break;                  /* overlap */
    case 3: free(names); break;                                       /* freed */
    case 4: last->msg_flags = 1; break;
    case 5: last->msg_control = control; break;                       /* without a length */
    case 6: last->msg_name = NULL; break;                             /* without a pointer */
    case 7: flags = 0; break;
    case 8: count = SLOTS + 1; break;                                 /* the array is shorter */
    case 9: last->msg_control = payload, last->msg_controllen = SIZE; break; /* shared with a payload */
    case 10: sending = 1; names[2].sin_family = 77; break;
    case 11: sending = 1; last->msg_control = control, last->msg_controllen = 24; break; /* cmsg_len 32 */
    case 12: last->msg_iov = (void *)(uintptr_t)0x10; break;
    case 13: iovecs[0].iov_base = &count; iovecs[0].iov_len = 4; break; /* the stack is nobody's block */
  }
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (sending) sendmmsg(fd, messages, (unsigned)count, flags);
  else recvmmsg(fd, messages, (unsigned)count, flags, NULL);
  write(1, "not found\n", 10);
  return 0;
}
