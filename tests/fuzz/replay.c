/* Runs a fuzz target over every file of the directories given: each corpus is a normal test, with any compiler. */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In a block of exactly its size, so that a sanitizer sees a read beyond it. */
static int run_file(const char *path, size_t size) {
  FILE *file = fopen(path, "rb");
  uint8_t *data = malloc(size ? size : 1);
  int ok = file && data && fread(data, 1, size, file) == size;
  if (ok) (void)LLVMFuzzerTestOneInput(data, size);
  free(data);
  if (file) (void)fclose(file);
  return ok;
}

/* @return inputs run, -1 when one could not be read */
static int run_directory(const char *directory) {
  DIR *dir = opendir(directory);
  if (!dir) return -1;
  int n = 0;
  for (struct dirent *entry; n >= 0 && (entry = readdir(dir));) {
    char path[4096];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (run_file(path, (size_t)info.st_size)) {
      n++;
    } else {
      (void)fprintf(stderr, "%s: cannot be read\n", path);
      n = -1;
    }
  }
  (void)closedir(dir);
  return n;
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    int n = run_directory(argv[i]);
    (void)printf("%s: %d inputs\n", argv[i], n);
    if (n < 1) return 1; /* a corpus that is not there proves nothing */
  }
  return argc > 1 ? 0 : 2;
}
