#define _GNU_SOURCE
#include "penstock_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

int place_identify(int fd, struct place_identity *place) {
  struct statx status;
  struct statfs filesystem;
  if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME | STATX_MNT_ID, &status) < 0) return -errno;
  if (fstatfs(fd, &filesystem) < 0) return -errno;
  place->device = makedev(status.stx_dev_major, status.stx_dev_minor);
  place->inode = status.stx_ino;
  place->mount = status.stx_mask & STATX_MNT_ID ? status.stx_mnt_id : 0;
  place->born = status.stx_mask & STATX_BTIME
                    ? status.stx_btime.tv_sec * INT64_C(1000000000) + status.stx_btime.tv_nsec
                    : 0;
  place->magic = (uint32_t)filesystem.f_type;
  return 0;
}
