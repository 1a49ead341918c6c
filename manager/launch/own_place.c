/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/launch/own_place.h"

#include "common/base/cleanup.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/crypto/digest.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

enum { NUMBER_LEN = 16, NUMBER_TEXT = 2 * NUMBER_LEN };

static int path_of(const struct config *c, char **path, struct err *e)
{
	return text_format(path, e, "%s/place", c->secrets_dir);
}

/* False: there is none, or none of ours. */
static bool read_number(const char *path, char number[NUMBER_TEXT + 1])
{
	CLEANUP(free) char *text = NULL;
	struct err none;

	if (file_read_text(path, NUMBER_TEXT, &text, &none) < 0 || strlen(text) != NUMBER_TEXT ||
	    strspn(text, "0123456789abcdef") != NUMBER_TEXT)
		return false;
	memcpy(number, text, NUMBER_TEXT + 1);
	return true;
}

static int make_number(const char *path, char number[NUMBER_TEXT + 1], struct err *e)
{
	uint8_t bytes[NUMBER_LEN];

	if (random_bytes(bytes, sizeof(bytes), e) < 0)
		return err_code(e);
	hex_encode(bytes, sizeof(bytes), number);
	return file_write(path, number, NUMBER_TEXT, 0600, e);
}

static void write_place(const char *number, const struct stat *lock,
			char place[MANAGER_PLACE_MAX + 1])
{
	snprintf(place, MANAGER_PLACE_MAX + 1, "%s-%" PRIx64 "-%" PRIx64, number,
		 (uint64_t)lock->st_dev, (uint64_t)lock->st_ino);
}

int own_place_make(const struct config *config, int lock, char place[MANAGER_PLACE_MAX + 1],
		   struct err *e)
{
	CLEANUP(free) char *path = NULL;
	char number[NUMBER_TEXT + 1];
	struct stat st;

	if (path_of(config, &path, e) < 0)
		return err_code(e);
	if (fstat(lock, &st) < 0)
		return err_errno(e, "lock of '%s'", config->state_dir);
	if (!read_number(path, number) && make_number(path, number, e) < 0)
		return err_wrap(e, "MANAGER_SECRETS_DIR");
	write_place(number, &st, place);
	return 0;
}

void own_place_look(const struct config *config, char place[MANAGER_PLACE_MAX + 1])
{
	CLEANUP(free) char *path = NULL, *lock = NULL;
	char number[NUMBER_TEXT + 1];
	struct stat st;
	struct err none;

	*place = '\0';
	if (path_of(config, &path, &none) < 0 ||
	    text_format(&lock, &none, "%s/lock", config->state_dir) < 0)
		return;
	if (read_number(path, number) && lstat(lock, &st) == 0)
		write_place(number, &st, place);
}
