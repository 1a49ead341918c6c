/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/token_file.h"

#include "cli/base/token_text.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOKEN_FILE_MAX = 256 };

int token_file_check_name(const char *setting, const char *name, struct err *e)
{
	/* A shell's variable that is not set: who calls would be another one than was meant, perhaps an administrator. */
	if (name && !*name)
		return err_set(e, ERR_INVALID, "%s is empty: it names the file of a token",
			       setting);
	if (!name || access(name, F_OK) == 0 ||
	    (strncmp(name, TOKEN_TEXT_BEGINNING, strlen(TOKEN_TEXT_BEGINNING)) != 0 &&
	     !token_text_is_in(name)))
		return 0;
	return err_set(e, ERR_INVALID,
		       "%s names the file of a token, and has the token itself, which others may "
		       "have read: revoke it ('token revoke'), and write the next one to a file",
		       setting);
}

static int check_private(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_errno(e, "token file '%s'", path);
	if (!(st.st_mode & (S_IRWXG | S_IRWXO)))
		return 0;
	return err_set(e, ERR_PRECONDITION,
		       "token file %s is open to others than you: 'chmod 600' it, and revoke the "
		       "token if somebody may have read it",
		       log_quote(path).text);
}

/* What a header can carry: one word. */
static bool is_word(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return false;
	return *text;
}

int token_file_read(const char *path, struct rpc_metadata *metadata, struct err *e)
{
	CLEANUP(free) char *text = NULL, *header = NULL;
	int failed;

	if (file_read_text(path, TOKEN_FILE_MAX, &text, e) < 0)
		return err_wrap(e, "token file");
	text[strcspn(text, "\n")] = 0;
	if (!is_word(text))
		failed = err_set(e, ERR_INVALID, "token file %s has no token in its first line",
				 log_quote(path).text);
	else if (check_private(path, e) < 0) /* what is no token is no secret */
		failed = err_code(e);
	else
		failed = text_format(&header, e, "Bearer %s", text);
	if (!failed)
		failed = rpc_metadata_add(metadata, "authorization", header, e);
	explicit_bzero(text, strlen(text));
	if (header)
		explicit_bzero(header, strlen(header));
	return failed;
}
