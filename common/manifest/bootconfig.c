/* SPDX-License-Identifier: Apache-2.0 */
#include "common/manifest/bootconfig.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/writer.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <openssl/crypto.h>

static int read_one(const char *dir, enum bootconfig_file file, struct bootconfig *boot,
		    struct err *e)
{
	CLEANUP(free) char *path = NULL;
	struct stat st;
	int failed = text_format(&path, e, "%s/%s", dir, bootconfig_name(file));

	if (failed)
		return failed;
	if (stat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(e, "'%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "'%s' is not a regular file", path);
	return file_read(path, BOOTCONFIG_FILE_MAX, &boot->files[file].bytes,
			 &boot->files[file].len, e);
}

int bootconfig_read(const char *config_dir, const char *certs_dir, struct bootconfig *boot,
		    struct err *e)
{
	struct bootconfig found = { 0 };

	for (enum bootconfig_file file = 0; file < BOOTCONFIG_FILES; file++) {
		const char *dir = file == BOOTCONFIG_ENVIRONMENT ? config_dir : certs_dir;

		if (dir && read_one(dir, file, &found, e) < 0) {
			bootconfig_done(&found);
			return err_wrap(e, "boot configuration");
		}
	}
	*boot = found;
	return 0;
}

void bootconfig_done(struct bootconfig *boot)
{
	for (size_t i = 0; i < BOOTCONFIG_FILES; i++) {
		if (!boot->files[i].bytes)
			continue;
		OPENSSL_cleanse(boot->files[i].bytes, boot->files[i].len);
		free(boot->files[i].bytes);
	}
	*boot = (struct bootconfig){ 0 };
}

int bootconfig_canonical(const struct bootconfig *boot, uint8_t **bytes, size_t *len, struct err *e)
{
	static const char label[] = "cocos-boot-v1"; /* its final zero belongs to it */
	CLEANUP_WRITER struct writer w =
		writer_up_to(BOOTCONFIG_FILES * (BOOTCONFIG_FILE_MAX + 5) + sizeof(label));
	int failed;

	writer_bytes(&w, label, sizeof(label));
	for (size_t i = 0; i < BOOTCONFIG_FILES; i++) {
		writer_u8(&w, boot->files[i].bytes != NULL);
		if (!boot->files[i].bytes)
			continue;
		writer_be32(&w, (uint32_t)boot->files[i].len);
		writer_bytes(&w, boot->files[i].bytes, boot->files[i].len);
	}
	failed = writer_check(&w, "boot configuration", e);
	if (failed)
		return failed;
	*bytes = writer_take(&w, len);
	return 0;
}

int bootconfig_digest(const struct bootconfig *boot, struct bootconfig_digests *digests,
		      struct err *e)
{
	struct bootconfig_digests d;
	uint8_t *bytes = NULL;
	size_t len = 0;
	int failed = bootconfig_canonical(boot, &bytes, &len, e);

	if (failed)
		return failed;
	failed = digest(DIGEST_SHA3_256, bytes, len, d.sha3_256, e);
	if (!failed)
		failed = digest(DIGEST_SHA3_384, bytes, len, d.sha3_384, e);
	OPENSSL_cleanse(bytes, len);
	free(bytes);
	if (!failed)
		*digests = d;
	return failed;
}
