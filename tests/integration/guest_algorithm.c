/* SPDX-License-Identifier: Apache-2.0 */
/* guest_algorithm.c — an algorithm for an image without a shell: its result is the dataset, in a file
 * and a folder that nobody but their owner could read. Then it writes over the dataset and beside it. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the next run must not find. */
static int change_data(void)
{
	int data = open("datasets/iris.csv", O_WRONLY | O_TRUNC | O_CLOEXEC),
	    weights = open("/home/.cache/torch/weights", O_RDONLY | O_CLOEXEC);
	char word[7];

	if (data < 0 || write(data, "changed", 7) != 7 || unlink("datasets/sub/x.csv") < 0 ||
	    rmdir("datasets/sub") < 0 || mkdir("datasets/sub", 0755) < 0 ||
	    rmdir("datasets/sub") < 0 || mkdir("datasets/new", 0700) < 0)
		return -1;
	return weights >= 0 && read(weights, word, 7) == 7 ? 0 : -1;
}

int main(void)
{
	char bytes[65536];
	int from = open("datasets/iris.csv", O_RDONLY | O_CLOEXEC);
	ssize_t len = from < 0 ? -1 : read(from, bytes, sizeof(bytes));

	if (len < 0 || mkdir("results/shut", 0700) < 0)
		return 1;
	int to = open("results/shut/all.txt", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (to < 0 || write(to, bytes, (size_t)len) != len || fchmod(to, 0) < 0 ||
	    chmod("results/shut", 0) < 0)
		return 2;
	if (change_data() < 0) {
		perror("change the data");
		return 3;
	}
	printf("user %d, device %d, group %d\n", (int)getuid(), access("/dev/tpmrm0", F_OK),
	       access("/sys/fs/cgroup", F_OK));
	return 0;
}
