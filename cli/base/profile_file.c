/* SPDX-License-Identifier: Apache-2.0 */
/* profile_file.c — where profiles lie, and how they are read and written; declared in profile.h. */
#include "cli/base/profile_alone.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "common/base/writer.h"
#include "common/crypto/kex_group.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int profile_name_check(const char *name, struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	size_t len = strlen(name);

	if (len && len <= PROFILE_NAME_MAX && name[0] != '.' && strspn(name, letters) == len)
		return 0;
	return err_set(e, ERR_INVALID,
		       "%s is no name for a profile: up to %d letters, digits, '-', '_' and '.', "
		       "which does not come first",
		       log_quote(name).text, PROFILE_NAME_MAX);
}

/* A relative folder is to be ignored (XDG base directory specification). */
int profile_folder(char **path, struct err *e)
{
	const char *config = secure_getenv("XDG_CONFIG_HOME"), *home = secure_getenv("HOME");

	if (config && *config == '/')
		return text_format(path, e, "%s/cocos", config);
	if (home && *home == '/')
		return text_format(path, e, "%s/.config/cocos", home);
	return err_set(e, ERR_PRECONDITION,
		       "no place for profiles: set XDG_CONFIG_HOME or HOME to a folder");
}

int profile_path(const char *name, char **path, struct err *e)
{
	CLEANUP(free) char *dir = NULL;

	if (name && profile_name_check(name, e) < 0)
		return err_code(e);
	if (profile_folder(&dir, e) < 0)
		return err_code(e);
	return text_format(path, e, name ? "%s/profiles/%s" : "%s/profiles", dir, name);
}

/* ---- reading ---- */

/* It says whom to trust, so nobody else may say it. */
int profile_owner_check(const char *path, struct err *e)
{
	struct stat about;

	if (stat(path, &about) < 0)
		return err_errno(e, "'%s'", path);
	if (about.st_uid != geteuid() && about.st_uid != 0)
		return err_set(e, ERR_DENIED,
			       "'%s' is another user's: chown it, or move it out of the way", path);
	if (about.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, ERR_DENIED, "others may write '%s': chmod %s it", path,
			       S_ISDIR(about.st_mode) ? "700" : "600");
	return 0;
}

/* Who may write a folder may put another file in the place of one. */
static int folders_check(struct err *e)
{
	CLEANUP(free) char *above = NULL, *dir = NULL;

	if (profile_folder(&above, e) < 0 || profile_owner_check(above, e) < 0 ||
	    profile_path(NULL, &dir, e) < 0)
		return err_code(e);
	return access(dir, F_OK) < 0 && errno == ENOENT ? 0 : profile_owner_check(dir, e);
}

int profile_entry_check(const struct keyfile_entry *entry, struct err *e)
{
	const struct profile_row *row = profile_row(entry->key);
	uint32_t groups;

	if (!row)
		return err_set(e, ERR_INVALID, "%s is no setting of profiles", entry->key);
	if (utf8_has_control(entry->value, strlen(entry->value)))
		return err_set(e, ERR_INVALID, "%s: a control character", entry->key);
	if (row->is_flag && strcmp(entry->value, "true") != 0 && strcmp(entry->value, "false") != 0)
		return err_set(e, ERR_INVALID, "%s is %s: write true or false", entry->key,
			       log_quote(entry->value).text);
	if (row->is_groups && kex_groups_parse(entry->value, &groups, e) < 0)
		return err_wrap(e, "%s", entry->key);
	if ((row->is_file || row->is_path) && *entry->value != '/')
		return err_set(e, ERR_INVALID,
			       "%s: %s is another file in every folder: write it from / on",
			       entry->key, log_quote(entry->value).text);
	if (row->is_file && access(entry->value, R_OK) < 0)
		return err_set(e, ERR_PRECONDITION, "%s: '%s' is not there, or not to be read",
			       entry->key, entry->value);
	return 0;
}

int profile_guard(const char *name, struct err *e)
{
	CLEANUP(free) char *path = NULL;

	if (profile_path(name, &path, e) < 0)
		return err_code(e);
	if (profile_owner_check(path, e) < 0 || folders_check(e) < 0)
		return err_wrap(e, "profile '%s'", name);
	return 0;
}

int profile_look(const char *name, struct keyfile *file, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (profile_path(name, &path, e) < 0)
		return err_code(e);
	if (file_read(path, KEYFILE_MAX, &bytes, &len, e) < 0)
		return err_wrap(e, "profile '%s'", name);
	if (keyfile_parse(bytes, len, file, e) < 0)
		return err_wrap(e, "profile '%s': '%s'", name, path);
	return 0;
}

int profile_read(const char *name, struct keyfile *file, struct err *e)
{
	struct keyfile read;
	int failed = 0;

	if (profile_guard(name, e) < 0 || profile_look(name, &read, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < read.count && !failed; i++)
		failed = profile_entry_check(&read.entries[i], e);
	if (failed) {
		keyfile_done(&read);
		return err_wrap(e, "profile '%s'", name);
	}
	*file = read;
	return 0;
}

/* ---- writing ---- */

static bool is_replaced(const struct keyfile_entry *entries, size_t i, size_t count)
{
	for (size_t j = i + 1; j < count; j++)
		if (strcmp(entries[i].key, entries[j].key) == 0)
			return true;
	return false;
}

/* Of a folder that may not be there yet. */
static int make_absolute(const char *value, char **absolute, struct err *e)
{
	CLEANUP(free) char *here = getcwd(NULL, 0);

	if (!here)
		return err_errno(e, "the folder that this is called in");
	return text_format(absolute, e, "%s/%s", here, value);
}

/* As the reader will have it again. */
static int write_entry(const struct keyfile_entry *entry, struct writer *w, struct err *e)
{
	CLEANUP(free) char *absolute = NULL;
	const struct profile_row *row = profile_row(entry->key);
	struct keyfile_entry kept = *entry;

	if (row && row->is_file) {
		absolute = realpath(entry->value, NULL);
		if (!absolute)
			return err_errno(e, "%s: '%s'", entry->key, entry->value);
		kept.value = absolute;
	} else if (row && row->is_path && *entry->value != '/') {
		if (make_absolute(entry->value, &absolute, e) < 0)
			return err_code(e);
		kept.value = absolute;
	}
	if (profile_entry_check(&kept, e) < 0)
		return err_code(e);
	writer_printf(w, "%s=\"%s\"\n", kept.key, kept.value);
	return 0;
}

/* What is refused whatever else a command's line says, or was surely meant otherwise. */
static const struct {
	const char *key, *needs;
	const char *value; /* that it has to have; NULL: any */
} needs[] = {
	{ "AGENT_GRPC_ATTESTATION_POLICY", "AGENT_GRPC_ATTESTED_TLS", "true" },
	{ "EK_ROOT", "AGENT_GRPC_ATTESTED_TLS", "true" },
	{ "AK", "AGENT_GRPC_ATTESTED_TLS", "true" },
	{ "TRUSTED_ROOT", "AGENT_GRPC_ATTESTED_TLS", "true" },
	{ "CHECK_CRL", "AGENT_GRPC_ATTESTED_TLS", "true" },
	{ "AGENT_GRPC_CLIENT_CERT", "AGENT_GRPC_CLIENT_KEY", NULL },
	{ "AGENT_GRPC_CLIENT_KEY", "AGENT_GRPC_CLIENT_CERT", NULL },
	{ "MANAGER_GRPC_CLIENT_CERT", "MANAGER_GRPC_CLIENT_KEY", NULL },
	{ "MANAGER_GRPC_CLIENT_KEY", "MANAGER_GRPC_CLIENT_CERT", NULL },
	{ "COMPUTATIONS_GRPC_CLIENT_CERT", "COMPUTATIONS_GRPC_CLIENT_KEY", NULL },
	{ "COMPUTATIONS_GRPC_CLIENT_KEY", "COMPUTATIONS_GRPC_CLIENT_CERT", NULL },
};

static const char *value_of(const struct keyfile_entry *entries, size_t count, const char *key)
{
	while (count-- > 0)
		if (strcmp(entries[count].key, key) == 0)
			return *entries[count].value ? entries[count].value : NULL;
	return NULL;
}

static int check_together(const struct keyfile_entry *entries, size_t count, struct err *e)
{
	const char *url = value_of(entries, count, "AGENT_GRPC_URL");
	const char *attested = value_of(entries, count, "AGENT_GRPC_ATTESTED_TLS");

	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		const char *value = value_of(entries, count, needs[i].key);
		const char *other = value_of(entries, count, needs[i].needs);

		if (value && strcmp(value, "false") != 0 &&
		    (!other || (needs[i].value && strcmp(other, needs[i].value) != 0)))
			return err_set(e, ERR_INVALID, "%s is of no use without %s%s%s: give both",
				       needs[i].key, needs[i].needs, needs[i].value ? "=" : "",
				       needs[i].value ? needs[i].value : "");
	}
	if (url && attested && strcmp(attested, "true") == 0 && strncmp(url, "http://", 7) == 0)
		return err_set(e, ERR_INVALID, "attested TLS and an address with http://");
	return 0;
}

static int write_entries(const struct keyfile_entry *entries, size_t count, struct writer *w,
			 struct err *e)
{
	for (size_t i = 0; i < count; i++)
		if (*entries[i].value && !is_replaced(entries, i, count) &&
		    write_entry(&entries[i], w, e) < 0)
			return err_code(e);
	if (check_together(entries, count, e) < 0)
		return err_code(e);
	return writer_check(w, "a profile", e);
}

int profile_check(const struct keyfile_entry *entries, size_t count, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(KEYFILE_MAX);

	return write_entries(entries, count, &w, e);
}

int profile_write(const char *name, const struct keyfile_entry *entries, size_t count,
		  struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(KEYFILE_MAX);
	CLEANUP(free) char *dir = NULL, *path = NULL;

	if (profile_path(name, &path, e) < 0 || profile_path(NULL, &dir, e) < 0)
		return err_code(e);
	if (write_entries(entries, count, &w, e) < 0 || dir_make(dir, 0700, e) < 0)
		return err_code(e);
	if (folders_check(e) < 0)
		return err_code(e);
	return file_write(path, w.bytes, w.len, 0600, e);
}

/* ---- which there are ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int profile_names(struct profile_names *names, struct err *e)
{
	CLEANUP(free) char *dir = NULL;
	struct err ignored;
	struct dirent *entry;
	DIR *open;

	*names = (struct profile_names){ .list = calloc(PROFILES_MAX, sizeof(*names->list)) };
	if (!names->list)
		return err_nomem(e);
	if (profile_path(NULL, &dir, e) < 0) {
		profile_names_done(names);
		return err_code(e);
	}
	open = opendir(dir);
	if (!open && errno == ENOENT)
		return 0;
	if (!open) {
		err_errno(e, "'%s'", dir);
		profile_names_done(names);
		return err_code(e);
	}
	while (names->count < PROFILES_MAX && (entry = readdir(open)) != NULL)
		if (profile_name_check(entry->d_name, &ignored) == 0 &&
		    (names->list[names->count] = strdup(entry->d_name)) != NULL)
			names->count++;
	closedir(open);
	qsort(names->list, names->count, sizeof(*names->list), by_name);
	return 0;
}

void profile_names_done(struct profile_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
	*names = (struct profile_names){ .count = 0 };
}

/* ---- which one is in use ---- */

static int used_path(char **path, struct err *e)
{
	CLEANUP(free) char *dir = NULL;

	if (profile_folder(&dir, e) < 0)
		return err_code(e);
	return text_format(path, e, "%s/profile", dir);
}

int profile_used(char **name, struct err *e)
{
	CLEANUP(free) char *path = NULL, *text = NULL;
	struct err none;

	*name = NULL;
	/* Where there is no place for profiles, none is in use. */
	if (used_path(&path, &none) < 0) {
		if (none.code == ERR_PRECONDITION)
			return 0;
		*e = none;
		return err_code(e);
	}
	if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (profile_owner_check(path, e) < 0 || folders_check(e) < 0 ||
	    file_read_text(path, PROFILE_NAME_MAX + 1, &text, e) < 0)
		return err_wrap(e, "the profile in use (HOME, or XDG_CONFIG_HOME, says whose)");
	text[strcspn(text, "\n")] = 0;
	if (profile_name_check(text, e) < 0)
		return err_wrap(e, "'%s'", path);
	*name = TAKE_PTR(text);
	return 0;
}

int profile_use(const char *name, char **path, struct err *e)
{
	CLEANUP(free) char *file = NULL, *line = NULL, *dir = NULL;

	if (used_path(&file, e) < 0)
		return err_code(e);
	if (!name && unlink(file) < 0 && errno != ENOENT)
		return err_errno(e, "remove '%s'", file);
	if (name && (profile_path(NULL, &dir, e) < 0 || dir_make(dir, 0700, e) < 0 ||
		     text_format(&line, e, "%s\n", name) < 0 ||
		     file_write(file, line, strlen(line), 0600, e) < 0))
		return err_code(e);
	*path = TAKE_PTR(file);
	return 0;
}
