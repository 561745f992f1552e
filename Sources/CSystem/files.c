#define _GNU_SOURCE
#include "penstock_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

int penstock_rename_noreplace(int from_dir, const char *from, int to_dir, const char *to) {
  return syscall(SYS_renameat2, from_dir, from, to_dir, to, RENAME_NOREPLACE) < 0 ? -errno : 0;
}

int penstock_syncfs(int fd) { return syncfs(fd) < 0 ? -errno : 0; }

int penstock_lease_probe(int fd) {
  if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0) {
    return errno == EAGAIN ? PENSTOCK_OPEN_FOR_WRITING : PENSTOCK_NO_LEASE;
  }
  fcntl(fd, F_SETLEASE, F_UNLCK);
  return PENSTOCK_CLOSED;
}

int penstock_open_beneath(int dir, const char *path, int flags) {
  struct open_how how = {
      .flags = (unsigned long long)flags | O_CLOEXEC,
      .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
  };
  long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
  return fd < 0 ? -errno : (int)fd;
}

static long long copy_by_hand(int from, int to) {
  enum { block = 1 << 16 };
  static _Thread_local char buffer[block];
  long long total = 0;
  for (;;) {
    ssize_t got = read(from, buffer, block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -errno;
    if (got == 0) return total;
    for (ssize_t done = 0; done < got;) {
      ssize_t put = write(to, buffer + done, (size_t)(got - done));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return -errno;
      done += put;
    }
    total += got;
  }
}

long long penstock_copy(int from, int to) {
  long long total = 0;
  for (;;) {
    ssize_t copied = copy_file_range(from, NULL, to, NULL, 1 << 30, 0);
    if (copied < 0 && errno == EINTR) continue;
    if (copied < 0 && total == 0) return copy_by_hand(from, to);
    if (copied < 0) return -errno;
    // files of /proc and the like say 0 at once although they have content
    if (copied == 0) return total == 0 ? copy_by_hand(from, to) : total;
    total += copied;
  }
}

static void write_hex(const unsigned char *digest, char hex[65]) {
  for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

int penstock_sha256_fd(int fd, char hex[65]) {
  // below the size from which malloc(3) asks the kernel for pages each time
  enum { block = 1 << 16 };
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  unsigned char *buffer = malloc(block);
  unsigned char digest[32];
  int status = context && buffer && EVP_DigestInit_ex(context, EVP_sha256(), NULL) ? 0 : -ENOMEM;
  while (status == 0) {
    ssize_t got = read(fd, buffer, block);
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) status = -errno;
    else if (!EVP_DigestUpdate(context, buffer, (size_t)got)) status = -EIO;
  }
  if (status == 0 && EVP_DigestFinal_ex(context, digest, NULL)) write_hex(digest, hex);
  EVP_MD_CTX_free(context);
  free(buffer);
  return status;
}

int penstock_sha256(const void *bytes, size_t length, char hex[65]) {
  unsigned char digest[32];
  if (!EVP_Digest(bytes, length, digest, NULL, EVP_sha256(), NULL)) return -EIO;
  write_hex(digest, hex);
  return 0;
}

long long penstock_filesystem_magic(const char *path) {
  struct statfs status;
  if (statfs(path, &status) < 0) return -errno;
  return (uint32_t)status.f_type;
}
