#pragma once
// What glibc's Swift module does not show of files. Every function returns -errno on failure.
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum penstock_lease { PENSTOCK_CLOSED = 0, PENSTOCK_OPEN_FOR_WRITING = 1, PENSTOCK_NO_LEASE = 2 };

/// renameat2(2) with RENAME_NOREPLACE.
int penstock_rename_noreplace(int from_dir, const char *from, int to_dir, const char *to);

/// syncfs(2) of the filesystem that holds `fd`.
int penstock_syncfs(int fd);

/// The magic number of the filesystem that holds `path`, statfs(2).
long long penstock_filesystem_magic(const char *path);

/// Asks the kernel by F_SETLEASE whether anyone has the file open for writing; an enum penstock_lease.
int penstock_lease_probe(int fd);

/// openat2(2) of a regular path below `dir`: no link is followed, `..` does not leave it.
int penstock_open_beneath(int dir, const char *path, int flags);

/// Copies from the read offset of `from` to its end; bytes copied.
long long penstock_copy(int from, int to);

/// A copy on its way, made in slices, its digest with it.
struct penstock_copying;

/// Begins to copy `from` to `to`, which is empty and open for reading and writing; shares the blocks where the
/// filesystem can (FICLONE). NULL where there is no memory.
struct penstock_copying *penstock_copy_begin(int from, int to);

/// Copies up to `length` bytes more, holes as holes; bytes taken in, 0 at the end.
long long penstock_copy_slice(struct penstock_copying *copying, long long length);

/// Ends a copy, whole or not: gives `to` the length read so far and the digest of it, in lower-case hex.
int penstock_copy_end(struct penstock_copying *copying, char hex[65]);

/// lgetxattr(2) of a short text, NUL-terminated; -ENODATA where there is none.
int penstock_get_mark(int dir, const char *name, const char *key, char *text, int size);

/// Copies such a text from file to file; -errno where there is none or it cannot be set.
int penstock_copy_mark(int from, int to, const char *key);

/// fsetxattr(2) of a text.
int penstock_set_mark(int fd, const char *key, const char *text);

/// SHA-256 (FIPS 180-4) of everything from the read offset of `fd`, in lower-case hex.
int penstock_sha256_fd(int fd, char hex[65]);

/// SHA-256 of `length` bytes, in lower-case hex.
int penstock_sha256(const void *bytes, size_t length, char hex[65]);

/// What tells one directory from another that came to lie at its path.
struct place_identity {
  uint64_t device;
  uint64_t inode;
  /// Of the mount it was reached through, STATX_MNT_ID of statx(2); 0 before Linux 5.8.
  uint64_t mount;
  /// Nanoseconds since 1970, for an inode number is soon used again; 0 where the filesystem does not say.
  int64_t born;
  /// f_type of statfs(2).
  uint32_t magic;
};

/// Returns 0, or -errno.
int place_identify(int fd, struct place_identity *place);

#ifdef __cplusplus
}
#endif
