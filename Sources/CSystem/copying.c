#define _GNU_SOURCE
#include "penstock_files.h"

#include <errno.h>
#include <linux/fs.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { block = 1 << 18 };

struct penstock_copying {
  EVP_MD_CTX *context;
  int from;
  int to;
  /// The blocks are shared: only the digest is left to be made.
  bool is_cloned;
  long long offset;
  unsigned char buffer[block];
};

static const unsigned char zeros[1 << 16];

struct penstock_copying *penstock_copy_begin(int from, int to) {
  struct penstock_copying *copying = malloc(sizeof *copying);
  if (!copying) return NULL;
  copying->context = EVP_MD_CTX_new();
  if (!copying->context || !EVP_DigestInit_ex(copying->context, EVP_sha256(), NULL)) {
    EVP_MD_CTX_free(copying->context);
    free(copying);
    return NULL;
  }
  copying->from = from;
  copying->to = to;
  copying->is_cloned = ioctl(to, FICLONE, from) == 0;
  copying->offset = 0;
  return copying;
}

static int digest_zeros(EVP_MD_CTX *context, long long count) {
  while (count > 0) {
    size_t part = count < (long long)sizeof zeros ? (size_t)count : sizeof zeros;
    if (!EVP_DigestUpdate(context, zeros, part)) return -EIO;
    count -= (long long)part;
  }
  return 0;
}

/// Where the next data begins; at the end of the file, that end.
static long long next_data(int fd, long long offset) {
  off_t data = lseek(fd, offset, SEEK_DATA);
  if (data >= 0) return data;
  // a filesystem that knows no holes, or a file that ends here
  if (errno != ENXIO) return offset;
  struct stat status;
  if (fstat(fd, &status) < 0) return -errno;
  return status.st_size > offset ? status.st_size : offset;
}

static int write_all(int fd, const unsigned char *bytes, size_t count, long long offset) {
  for (size_t done = 0; done < count;) {
    ssize_t put = pwrite(fd, bytes + done, count - done, offset + (long long)done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return -errno;
    done += (size_t)put;
  }
  return 0;
}

long long penstock_copy_slice(struct penstock_copying *copying, long long length) {
  int source = copying->is_cloned ? copying->to : copying->from;
  long long begin = copying->offset;
  long long end = begin + length;
  while (copying->offset < end) {
    long long data = next_data(source, copying->offset);
    if (data < 0) return data;
    if (data > copying->offset) {
      long long hole = (data < end ? data : end) - copying->offset;
      if (digest_zeros(copying->context, hole) < 0) return -EIO;
      copying->offset += hole;
      continue;
    }
    size_t wanted = end - copying->offset < block ? (size_t)(end - copying->offset) : block;
    ssize_t got = pread(source, copying->buffer, wanted, copying->offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -errno;
    if (got == 0) break;
    if (!EVP_DigestUpdate(copying->context, copying->buffer, (size_t)got)) return -EIO;
    if (!copying->is_cloned) {
      int status = write_all(copying->to, copying->buffer, (size_t)got, copying->offset);
      if (status < 0) return status;
    }
    copying->offset += got;
  }
  return copying->offset - begin;
}

int penstock_copy_end(struct penstock_copying *copying, char hex[65]) {
  unsigned char digest[32];
  // a hole at the end is not written, only its length is
  int status = ftruncate(copying->to, copying->offset) < 0 ? -errno : 0;
  if (!EVP_DigestFinal_ex(copying->context, digest, NULL)) status = -EIO;
  for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
  EVP_MD_CTX_free(copying->context);
  free(copying);
  return status;
}

int penstock_get_mark(int dir, const char *name, const char *key, char *text, int size) {
  char path[32 + 256 + 1];
  snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir, name);
  ssize_t length = lgetxattr(path, key, text, (size_t)size - 1);
  if (length < 0) return -errno;
  text[length] = 0;
  return 0;
}

int penstock_set_mark(int fd, const char *key, const char *text) {
  return fsetxattr(fd, key, text, strlen(text), 0) < 0 ? -errno : 0;
}

int penstock_copy_mark(int from, int to, const char *key) {
  char text[256];
  ssize_t length = fgetxattr(from, key, text, sizeof text);
  if (length < 0) return -errno;
  return fsetxattr(to, key, text, (size_t)length, 0) < 0 ? -errno : 0;
}
