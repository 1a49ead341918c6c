/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/image.h"

#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "common/manifest/bootdisk.h"

#include <string.h>
#include <sys/stat.h>

enum { IMAGE_VERSION = 1, IMAGE_WORDS_MAX = 32 };

DEFINE_CLEANUP(struct json *, json_free)

static int stamp(struct image_file *file, struct err *e)
{
	struct stat st;

	if (stat(file->path, &st) < 0)
		return err_errno(e, "'%s'", file->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "'%s' is not a plain file", file->path);
	file->modified = st.st_mtim;
	file->inode = st.st_ino;
	file->size = st.st_size;
	return 0;
}

/* The inode's change time is not compared: libvirt changes the owner of kernel and initrd while
 * a domain runs. */
static bool file_is_current(const struct image_file *file)
{
	struct stat st;

	if (!file->path)
		return true;
	return stat(file->path, &st) == 0 && st.st_size == file->size && st.st_ino == file->inode &&
	       st.st_mtim.tv_sec == file->modified.tv_sec &&
	       st.st_mtim.tv_nsec == file->modified.tv_nsec;
}

/* A member {"file", "size", "sha256"}, checked against the file itself. */
static int read_part(const struct image *image, const struct json *root, const char *key,
		     struct image_file *file, struct err *e)
{
	uint8_t found[SHA256_LEN];
	const struct json *part;
	const char *name;
	uint64_t size;

	if (json_get_object(root, key, &part, e) < 0 ||
	    json_get_string(part, "file", &name, e) < 0 ||
	    json_get_u64(part, "size", &size, e) < 0 ||
	    json_get_hex(part, "sha256", file->sha256, sizeof(file->sha256), e) < 0)
		return err_wrap(e, "image.json: %s", key);
	if (!*name || *name == '.' || strchr(name, '/'))
		return err_set(e, ERR_INVALID, "image.json: %s: %s is not a plain file name", key,
			       log_quote(name).text);
	if (text_format(&file->path, e, "%s/%s", image->dir, name) < 0 || stamp(file, e) < 0 ||
	    digest_file(DIGEST_SHA256, file->path, found, e) < 0)
		return err_wrap(e, "image.json: %s", key);
	if ((uint64_t)file->size != size || memcmp(found, file->sha256, sizeof(found)) != 0)
		return err_set(e, ERR_PRECONDITION,
			       "'%s' is not the file that image.json describes: build the image "
			       "again",
			       file->path);
	return 0;
}

/* Of the kernel's command line, which ends at the first line's end and knows no other white space. */
static bool is_word(const char *text)
{
	return *text && !strchr(text, ' ') && !utf8_has_control(text, strlen(text));
}

static int read_words(struct image *image, const struct json *root, struct err *e)
{
	const struct json *words;

	if (!json_get(root, "cmdline_words"))
		return (image->words = calloc(1, sizeof(char *))) ? 0 : err_nomem(e);
	if (json_get_array(root, "cmdline_words", &words, e) < 0)
		return err_code(e);
	if (words->count > IMAGE_WORDS_MAX)
		return err_set(e, ERR_EXHAUSTED, "cmdline_words: more than %d", IMAGE_WORDS_MAX);
	image->words = calloc(words->count + 1, sizeof(char *));
	for (size_t i = 0; image->words && i < words->count; i++) {
		if (words->items[i].type != JSON_STRING)
			return err_set(e, ERR_INVALID, "cmdline_words: not all are strings");
		if (!is_word(words->items[i].text))
			return err_set(e, ERR_INVALID, "cmdline_words: %s is not one word",
				       log_quote(words->items[i].text).text);
		image->words[i] = strdup(words->items[i].text);
		if (!image->words[i])
			return err_nomem(e);
	}
	return image->words ? 0 : err_nomem(e);
}

static int copy_text(const struct json *root, const char *key, char **text, struct err *e)
{
	const char *found;

	if (json_get_string(root, key, &found, e) < 0)
		return err_code(e);
	*text = strdup(found);
	return *text ? 0 : err_nomem(e);
}

static int read_boot_disk(const struct json *root, struct err *e)
{
	const struct json *disk;
	const char *serial;
	uint64_t version, size;

	if (json_get_object(root, "boot_disk", &disk, e) < 0 ||
	    json_get_u64(disk, "version", &version, e) < 0 ||
	    json_get_string(disk, "serial", &serial, e) < 0 ||
	    json_get_u64(disk, "size", &size, e) < 0)
		return err_code(e);
	if (version != BOOTDISK_VERSION || size != BOOTDISK_SIZE ||
	    strcmp(serial, BOOTDISK_SERIAL) != 0)
		return err_set(
			e, ERR_PRECONDITION,
			"boot_disk: version %llu, %llu bytes, serial %s is not the form that "
			"is known here: use the release that made the image",
			(unsigned long long)version, (unsigned long long)size,
			log_quote(serial).text);
	return 0;
}

static int read_shares(const struct json *root, struct err *e)
{
	static const char *const tags[] = { "env_share", "certs_share" };
	const struct json *shares;
	bool same;

	if (json_get_array(root, "shares", &shares, e) < 0)
		return err_code(e);
	same = shares->count == ARRAY_LEN(tags);
	for (size_t i = 0; same && i < shares->count; i++)
		same = shares->items[i].type == JSON_STRING &&
		       strcmp(shares->items[i].text, tags[i]) == 0;
	return same ? 0 : err_set(e, ERR_INVALID, "shares: not those that are known here");
}

/* In which form the image takes its boot configuration: in one. */
static int read_given(struct image *image, const struct json *root, struct err *e)
{
	bool shares = json_get(root, "shares") != NULL;

	image->boot_disk = json_get(root, "boot_disk") != NULL;
	if (shares == image->boot_disk)
		return err_set(e, ERR_INVALID,
			       shares ? "shares and boot_disk: only one of both"
				      : "boot_disk: is missing");
	return shares ? read_shares(root, e) : read_boot_disk(root, e);
}

static int read_launch(struct image *image, const struct json *root, struct err *e)
{
	const struct json *own_kernel;
	uint64_t version;

	if (json_get_u64(root, "version", &version, e) < 0)
		return err_code(e);
	if (version != IMAGE_VERSION)
		return err_set(e, ERR_INVALID, "version %llu is not %d",
			       (unsigned long long)version, IMAGE_VERSION);
	if (copy_text(root, "flavour", &image->flavour, e) < 0 ||
	    copy_text(root, "cmdline", &image->cmdline, e) < 0 ||
	    json_get_u64(root, "min_memory_mib", &image->min_memory_mib, e) < 0 ||
	    read_words(image, root, e) < 0 || read_given(image, root, e) < 0)
		return err_code(e);
	if (json_get(root, "reach"))
		return err_set(e, ERR_PRECONDITION,
			       "reach: its kernel is one for developers, to be attacked: build the "
			       "image with --kernel own");
	image->own_kernel = json_get(root, "own_kernel") != NULL;
	if (image->own_kernel && json_get_object(root, "own_kernel", &own_kernel, e) < 0)
		return err_code(e);
	if (strlen(image->cmdline) > IMAGE_CMDLINE_MAX)
		return err_set(e, ERR_EXHAUSTED, "cmdline: longer than %d bytes",
			       IMAGE_CMDLINE_MAX);
	if (strlen(image->flavour) > 32)
		return err_set(e, ERR_EXHAUSTED, "flavour: longer than 32");
	/* Both are shown, and kept in the registry, which would not take them back. */
	if (utf8_has_control(image->cmdline, strlen(image->cmdline)) ||
	    utf8_has_control(image->flavour, strlen(image->flavour)))
		return err_set(e, ERR_INVALID, "cmdline or flavour: has control characters");
	return 0;
}

static int read_json(struct image *image, struct json **root, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (text_format(&image->json.path, e, "%s/image.json", image->dir) < 0 ||
	    stamp(&image->json, e) < 0 ||
	    file_read(image->json.path, IMAGE_JSON_MAX, &bytes, &len, e) < 0 ||
	    digest(DIGEST_SHA256, bytes, len, image->json.sha256, e) < 0 ||
	    json_parse(bytes, len, root, e) < 0)
		return err_wrap(e, "image");
	return 0;
}

int image_open(const char *dir, struct image **image, struct err *e)
{
	CLEANUP(image_free) struct image *i = calloc(1, sizeof(*i));
	CLEANUP(json_free) struct json *root = NULL;

	if (!i || !(i->dir = strdup(dir)))
		return err_nomem(e);
	if (read_json(i, &root, e) < 0)
		return err_code(e);
	if (read_launch(i, root, e) < 0)
		return err_wrap(e, "'%s'", i->json.path);
	if (read_part(i, root, "kernel", &i->kernel, e) < 0 ||
	    read_part(i, root, "initrd", &i->initrd, e) < 0)
		return err_code(e);
	if (json_get(root, "root") && read_part(i, root, "root", &i->root, e) < 0)
		return err_code(e);
	*image = TAKE_PTR(i);
	return 0;
}

void image_free(struct image *image)
{
	if (!image)
		return;
	free(image->dir);
	free(image->flavour);
	free(image->cmdline);
	free(image->json.path);
	free(image->kernel.path);
	free(image->initrd.path);
	free(image->root.path);
	for (char **word = image->words; word && *word; word++)
		free(*word);
	free(image->words);
	free(image);
}

bool image_is_current(const struct image *image)
{
	return file_is_current(&image->json) && file_is_current(&image->kernel) &&
	       file_is_current(&image->initrd) && file_is_current(&image->root);
}

int image_cmdline(const struct image *image, const char *word, char **cmdline, struct err *e)
{
	char **known = image->words;

	if (!word)
		return text_format(cmdline, e, "%s", image->cmdline);
	while (*known && strcmp(*known, word) != 0)
		known++;
	if (!*known)
		return err_set(e, ERR_PRECONDITION,
			       "the image in '%s' does not know the word '%s' on its command line",
			       image->dir, word);
	return text_format(cmdline, e, "%s %s", image->cmdline, word);
}

void image_name(const struct image *image, char name[IMAGE_NAME_MAX])
{
	char hex[2 * SHA256_LEN + 1];

	hex_encode(image->json.sha256, SHA256_LEN, hex);
	snprintf(name, IMAGE_NAME_MAX, "%s %s", image->flavour, hex);
}
