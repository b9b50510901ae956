/* A disk that can be broken: preloaded into a process, it fails calls on regular files below BROKEN_DISK_ROOT.
 *
 * The file BROKEN_DISK says how, anew at every call; while it is missing the disk is whole. One word:
 *   full   writes that make a file longer fail (ENOSPC)
 *   write  every write fails (EIO)
 *   sync   every fsync and fdatasync fails (EIO)
 *   read   every positioned read fails (EIO)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* What is wrong with the disk under this descriptor now: the first letter of the word, or 0. */
static char fault(int fd) {
    const char *control = getenv("BROKEN_DISK"), *root = getenv("BROKEN_DISK_ROOT");
    char word = 0, link[64], path[4096];
    struct stat status;
    if (!control || !root) return 0;
    int file = syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC, 0);
    if (file < 0) return 0;
    if (syscall(SYS_read, file, &word, 1) != 1) word = 0;
    syscall(SYS_close, file);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (strncmp(path, root, strlen(root)) || fstat(fd, &status) || !S_ISREG(status.st_mode)) return 0;
    return word;
}

static int grows(int fd, off_t end) {
    struct stat status;
    return !fstat(fd, &status) && end > status.st_size;
}

static off_t position(int fd) {
    return fcntl(fd, F_GETFL) & O_APPEND ? lseek(fd, 0, SEEK_END) : lseek(fd, 0, SEEK_CUR);
}

/* Whether a write up to `end` may go on; sets errno when not. */
static int may_write(int fd, off_t end) {
    char what = fault(fd);
    if (what == 'w') { errno = EIO; return 0; }
    if (what == 'f' && grows(fd, end)) { errno = ENOSPC; return 0; }
    return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size) {
    return may_write(fd, position(fd) + (off_t)size) ? NEXT(write)(fd, data, size) : -1;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return may_write(fd, at + (off_t)size) ? NEXT(pwrite)(fd, data, size, at) : -1;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return may_write(fd, at + (off_t)size) ? NEXT(pwrite64)(fd, data, size, at) : -1;
}

int ftruncate(int fd, off_t size) { return may_write(fd, size) ? NEXT(ftruncate)(fd, size) : -1; }
int ftruncate64(int fd, off64_t size) { return may_write(fd, size) ? NEXT(ftruncate64)(fd, size) : -1; }

int fsync(int fd) {
    if (fault(fd) == 's') { errno = EIO; return -1; }
    return NEXT(fsync)(fd);
}

int fdatasync(int fd) {
    if (fault(fd) == 's') { errno = EIO; return -1; }
    return NEXT(fdatasync)(fd);
}

ssize_t pread(int fd, void *data, size_t size, off_t at) {
    if (fault(fd) == 'r') { errno = EIO; return -1; }
    return NEXT(pread)(fd, data, size, at);
}

ssize_t pread64(int fd, void *data, size_t size, off64_t at) {
    if (fault(fd) == 'r') { errno = EIO; return -1; }
    return NEXT(pread64)(fd, data, size, at);
}
