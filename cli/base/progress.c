/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/progress.h"

#include "common/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
	EVERY_MS = 100,
	RATE_FROM_MS = 1000, /* before that it says little */
	LEFT_MAX_S = 100 * 60 * 60,
	COLUMNS_DEFAULT = 80,
	COLUMNS_MAX = 200,
	BAR_MIN = 10,
};

static unsigned columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	return size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
}

void progress_size(uint64_t bytes, char *text, unsigned size)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	unsigned unit = 0;

	if (bytes < 1024) {
		snprintf(text, size, "%" PRIu64 " bytes", bytes);
		return;
	}
	for (value /= 1024; value >= 1024 && unit + 1 < sizeof(units) / sizeof(*units); unit++)
		value /= 1024;
	snprintf(text, size, "%.1f %s", value, units[unit]);
}

void progress_start(struct progress *p, const char *label, uint64_t total, uint64_t first)
{
	const char *term = getenv("TERM");

	*p = (struct progress){ .label = label, .total = total, .first = first };
	p->on = isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
	p->started_ms = (uint64_t)clock_ms(CLOCK_MONOTONIC);
}

void progress_tell(const struct progress *p, uint64_t done)
{
	uint64_t elapsed = (uint64_t)clock_ms(CLOCK_MONOTONIC) - p->started_ms;

	fprintf(stderr, "%s: %" PRIu64 " bytes in %" PRIu64 ".%03" PRIu64 " s\n", p->label,
		done - p->first, elapsed / 1000, elapsed % 1000);
}

/* "12s left", "3m20s left", "2h05m left": of the rate since the start. Nothing where none can be known. */
static void time_left(const struct progress *p, uint64_t done, uint64_t elapsed, char *text,
		      size_t size)
{
	uint64_t moved = done > p->first ? done - p->first : 0;
	double seconds;
	unsigned left;

	*text = 0;
	if (elapsed < RATE_FROM_MS || moved == 0 || done >= p->total)
		return;
	seconds = (double)(p->total - done) * (double)elapsed / (double)moved / 1000;
	if (seconds >= (double)LEFT_MAX_S)
		return;
	left = (unsigned)seconds + 1;
	if (left < 60)
		snprintf(text, size, " %us left", left);
	else if (left < 3600)
		snprintf(text, size, " %um%02us left", left / 60, left % 60);
	else
		snprintf(text, size, " %uh%02um left", left / 3600, left % 3600 / 60);
}

void progress_line(const struct progress *p, uint64_t done, uint64_t now, unsigned width,
		   char *line, unsigned size)
{
	char count[32], of[40] = "", rate[40] = "", left[24] = "", bar[COLUMNS_MAX + 1] = "";
	char text[32];
	uint64_t elapsed = now - p->started_ms, moved = done > p->first ? done - p->first : 0;
	int used;

	progress_size(done, count, sizeof(count));
	if (p->total) {
		progress_size(p->total, text, sizeof(text));
		snprintf(of, sizeof(of), " of %s", text);
	}
	if (elapsed >= RATE_FROM_MS) {
		progress_size(moved * 1000 / elapsed, text, sizeof(text));
		snprintf(rate, sizeof(rate), " %s/s", text);
	}
	time_left(p, done, elapsed, left, sizeof(left));
	used = snprintf(line, size, "%s  %s%s%s%s", p->label, count, of, rate, left);
	/* A line that wraps would not be wiped. */
	if (used > 0 && (unsigned)used >= width)
		used = snprintf(line, size, "%s  %s", p->label, count);
	if (p->total && used > 0 && (unsigned)used + 9 + BAR_MIN < width) {
		unsigned room = width - (unsigned)used - 9;
		unsigned percent = (unsigned)((double)done * 100 / (double)p->total);
		unsigned full;

		if (percent > 100)
			percent = 100;
		full = room * percent / 100;
		for (unsigned i = 0; i < room; i++)
			bar[i] = i < full ? '#' : '.';
		snprintf(line, size, "%s [%s] %3u%% %s%s%s%s", p->label, bar, percent, count, of,
			 rate, left);
	}
}

void progress_update(struct progress *p, uint64_t done)
{
	char line[2 * COLUMNS_MAX];
	uint64_t now;

	if (!p->on)
		return;
	now = (uint64_t)clock_ms(CLOCK_MONOTONIC);
	if (p->drawn && now - p->shown_ms < EVERY_MS)
		return;
	p->shown_ms = now;
	p->drawn = true;
	progress_line(p, done, now, columns(), line, sizeof(line));
	fprintf(stderr, "\r\033[K%s", line);
	fflush(stderr);
}

void progress_end(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}
