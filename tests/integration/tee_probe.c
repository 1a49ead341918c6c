/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tee_probe.c — in the agent's place in a development image: asks the TEE for a report as an agent
 * does, extends a register where there is one, and prints what it got, in hexadecimal.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPORTS "/sys/kernel/config/tsm/report"
#define RTMR3	"/sys/devices/virtual/misc/tdx_guest/measurements/rtmr3:sha384"

enum { BLOB_MAX = 32768, DATA_LEN = 64, LINE = 500 };

static uint8_t blob[BLOB_MAX];

/* Console lines are short: "probe: NAME: OFFSET HEX". */
static void show(const char *name, const char *path)
{
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, blob + len, sizeof(blob) - len)) > 0)
		len += (size_t)n;
	if (fd >= 0)
		close(fd);
	for (size_t at = 0; at < len; at += LINE) {
		printf("probe: %s: %zu ", name, at);
		for (size_t i = at; i < len && i < at + LINE; i++)
			printf("%02x", blob[i]);
		printf("\n");
	}
	printf("probe: %s: %zu bytes\n", name, len);
	fflush(stdout);
}

static int put(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY);
	int ok = fd >= 0 && write(fd, bytes, len) == (ssize_t)len;

	if (fd >= 0 && close(fd) < 0)
		ok = 0;
	return ok ? 0 : -1;
}

int main(void)
{
	uint8_t data[DATA_LEN];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	if (access(RTMR3, F_OK) == 0 && put(RTMR3, data, 48) < 0)
		perror("probe: extend");
	show("rtmr3", RTMR3);
	if (mkdir(REPORTS "/probe", 0700) < 0)
		perror("probe: mkdir");
	show("provider", REPORTS "/probe/provider");
	if (put(REPORTS "/probe/inblob", data, sizeof(data)) < 0)
		perror("probe: inblob");
	show("report", REPORTS "/probe/outblob");
	show("table", REPORTS "/probe/auxblob");
	rmdir(REPORTS "/probe");
	printf("probe: ready\n");
	fflush(stdout);
	pause();
	return 0;
}
