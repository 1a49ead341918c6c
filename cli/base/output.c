/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/output.h"

#include "common/base/cleanup.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_file(const char *path)
{
	return path && strcmp(path, "-") != 0;
}

static int refuse(struct cli *cli, const char *path, struct err *e)
{
	cli_hint(cli, "--force replaces it");
	return err_set(e, ERR_EXISTS, "'%s' is there already", path);
}

int output_check(struct cli *cli, const char *path, struct err *e)
{
	struct stat about;

	if (!is_file(path) || lstat(path, &about) < 0)
		return 0; /* what else is wrong with it, writing tells */
	/* A device or pipe, or a link to one, would be exchanged for a file. */
	if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) {
		cli_hint(cli, "a file is written there under a name that is free");
		return err_set(e, ERR_INVALID, "'%s' is there, and no file", path);
	}
	return cli_flag(cli, "force") ? 0 : refuse(cli, path, e);
}

int output_check_options(struct cli *cli, struct err *e)
{
	for (size_t i = 0; i < cli->given_count; i++) {
		const struct cli_given *one = &cli->given[i];

		if (!one->option->writes)
			continue;
		if (output_check(cli, one->value, e) < 0)
			return err_code(e);
		for (size_t k = 0; k < i; k++)
			if (cli->given[k].option->writes && is_file(one->value) &&
			    strcmp(cli->given[k].value, one->value) == 0)
				return err_set(e, ERR_INVALID, "--%s and --%s are both '%s'",
					       cli->given[k].option->name, one->option->name,
					       one->value);
	}
	return 0;
}

int output_file(struct cli *cli, const char *path, const void *bytes, size_t len, mode_t mode,
		struct err *e)
{
	if (output_check(cli, path, e) < 0)
		return err_code(e);
	if (cli_flag(cli, "force"))
		return file_write(path, bytes, len, mode, e);
	int failed = file_write_new(path, bytes, len, mode, e);

	return err_is(failed, ERR_EXISTS) ? refuse(cli, path, e) : failed;
}

int output_place_make(struct cli *cli, const char *path, size_t len, struct output_place *place,
		      struct err *e)
{
	if (output_check(cli, path, e) < 0)
		return err_code(e);
	*place = (struct output_place){ .path = path, .fd = -1 };
	if (text_format(&place->temporary, e, "%s.part-XXXXXX", path) < 0)
		return err_code(e);
	place->fd = mkostemp(place->temporary, O_CLOEXEC); /* 0600 */
	if (place->fd < 0) {
		err_errno(e, "write beside '%s'", path);
		free(TAKE_PTR(place->temporary));
		return err_code(e);
	}
	errno = posix_fallocate(place->fd, 0, (off_t)len);
	return errno ? err_errno(e, "room beside '%s'", path) : 0;
}

int output_place_fill(struct cli *cli, struct output_place *place, const void *bytes, size_t len,
		      struct err *e)
{
	int failed;

	if (fd_write_all(place->fd, bytes, len, e) < 0)
		return err_wrap(e, "'%s'", place->temporary);
	if (ftruncate(place->fd, (off_t)len) < 0 || fsync(place->fd) < 0)
		return err_errno(e, "write '%s'", place->temporary);
	failed = file_publish(place->temporary, place->path, cli_flag(cli, "force"), e);
	if (!failed)
		free(TAKE_PTR(place->temporary));
	return err_is(failed, ERR_EXISTS) ? refuse(cli, place->path, e) : failed;
}

void output_place_done(struct output_place *place)
{
	if (place->temporary)
		unlink(place->temporary);
	free(place->temporary);
	if (place->fd >= 0)
		close(place->fd);
}

/* Lines that stand for themselves: what a peer made might have a terminal write over what stands there. */
static bool is_for_terminal(const char *text, size_t len)
{
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = utf8_char(text + i, len - i);
		if (!n || (utf8_is_control(text + i, n) && text[i] != '\n' && text[i] != '\t'))
			return false;
	}
	return true;
}

int output_write(struct cli *cli, const char *path, const void *bytes, size_t len, struct err *e)
{
	if (is_file(path))
		return output_file(cli, path, bytes, len, 0644, e);
	if (cli->out == stdout && isatty(STDOUT_FILENO) && !is_for_terminal(bytes, len)) {
		cli_hint(cli, "send it to a file or a program");
		return err_set(e, ERR_INVALID, "it is no text that a terminal only shows");
	}
	if (fwrite(bytes, 1, len, cli->out) != len)
		return err_errno(e, "standard output");
	return 0;
}

int output_digest(const struct cli *cli, const uint8_t *bytes, size_t len, bool base64,
		  struct err *e)
{
	CLEANUP(free) char *text = base64 ? base64_encode(bytes, len) : malloc(2 * len + 1);

	if (!text)
		return err_nomem(e);
	if (!base64)
		hex_encode(bytes, len, text);
	fprintf(cli->out, "%s\n", text);
	return 0;
}
