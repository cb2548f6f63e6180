/* Loaded into a server or a program before the C library: the folder SMALL_DISK behaves like a disk of SMALL_DISK_BYTES bytes. A write
 * that makes a file in it grow fails with ENOSPC once all its files together would be larger. Everything else passes. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* The bytes of all files below a folder. A file that vanishes meanwhile counts for nothing. */
static long long used(const char *folder) {
    long long sum = 0;
    struct dirent *entry;
    struct stat found;
    char path[PATH_MAX];
    DIR *open = opendir(folder);
    while (open && (entry = readdir(open))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (lstat(path, &found)) continue;
        sum += S_ISDIR(found.st_mode) ? used(path) : found.st_size;
    }
    if (open) closedir(open);
    return sum;
}

/* Whether a write that ends at `end` finds no space. */
static int no_space(int file, long long end) {
    const char *disk = getenv("SMALL_DISK"), *bytes = getenv("SMALL_DISK_BYTES");
    char link[64], path[PATH_MAX];
    struct stat found;
    ssize_t length;
    if (!disk || !bytes || fstat(file, &found) || !S_ISREG(found.st_mode) || end <= found.st_size) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return !strncmp(path, disk, strlen(disk)) && used(disk) + end - found.st_size > atoll(bytes);
}

static long long total(const struct iovec *parts, int count) {
    long long sum = 0;
    while (count-- > 0) sum += parts[count].iov_len;
    return sum;
}

/* What stands behind a name without this file. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FULL (errno = ENOSPC, -1)

ssize_t write(int file, const void *data, size_t length) {
    off64_t at = lseek64(file, 0, SEEK_CUR);
    return at >= 0 && no_space(file, at + (long long)length) ? FULL : NEXT(write)(file, data, length);
}
ssize_t pwrite(int file, const void *data, size_t length, off_t at) {
    return no_space(file, at + (long long)length) ? FULL : NEXT(pwrite)(file, data, length, at);
}
ssize_t pwrite64(int file, const void *data, size_t length, off64_t at) {
    return no_space(file, at + (long long)length) ? FULL : NEXT(pwrite64)(file, data, length, at);
}
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at) {
    return no_space(file, at + total(parts, count)) ? FULL : NEXT(pwritev)(file, parts, count, at);
}
ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t at) {
    return no_space(file, at + total(parts, count)) ? FULL : NEXT(pwritev64)(file, parts, count, at);
}
int posix_fallocate(int file, off_t at, off_t length) {
    return no_space(file, at + length) ? ENOSPC : NEXT(posix_fallocate)(file, at, length);
}
int posix_fallocate64(int file, off64_t at, off64_t length) {
    return no_space(file, at + length) ? ENOSPC : NEXT(posix_fallocate64)(file, at, length);
}
