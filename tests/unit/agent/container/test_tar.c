/* SPDX-License-Identifier: Apache-2.0 */
/* Tar archives entry by entry, and blobs, at their limits. */
#include "agent/container/tar.h"
#include "tests/unit/agent/container/kit.h"

#include <zlib.h>

static struct tar_entry entry; /* the last one */

/* Every entry of these bytes; the count, or the failure. */
static int entries(const void *bytes, size_t len, enum blob_packing packing, uint64_t most,
		   bool may_stop, struct err *e)
{
	CLEANUP(blob_free) struct blob *blob = NULL;
	CLEANUP(close) int fd = kit_memory(bytes, len);
	const struct blob_place place = { 0, len };
	struct tar_entry next;
	int more, count = 0;

	if (blob_open(fd, &place, packing, most, &blob, e) < 0)
		return err_code(e);
	struct tar tar = { .blob = blob, .may_stop = may_stop };
	while ((more = tar_next(&tar, &next, e)) > 0) {
		entry = next;
		count++;
	}
	return more < 0 ? more : count;
}

static int plain(const struct writer *w, struct err *e)
{
	return entries(w->bytes, w->len, BLOB_PLAIN, KIT_MAX, false, e);
}

static void names_come_from_wherever_they_are(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(KIT_MAX);
	char name[TAR_PATH_MAX + 2], record[TAR_PATH_MAX + 32];
	struct err e;

	memset(name, 'n', sizeof(name));
	name[TAR_PATH_MAX] = '\0';
	kit_put(&w, &(struct kit_entry){ .name = "x", .type = 'L', .text = name });
	kit_put(&w, &(struct kit_entry){ .name = "short" });
	kit_end(&w);
	assert_int_equal(plain(&w, &e), 1);
	assert_string_equal(entry.name, name);
	writer_done(&w);
	w = writer_up_to(KIT_MAX);
	snprintf(record, sizeof(record), "%d path=%s\n", TAR_PATH_MAX + 11, name);
	assert_int_equal(strlen(record), TAR_PATH_MAX + 11);
	kit_put(&w, &(struct kit_entry){ .name = "x", .type = 'x', .text = record });
	kit_put(&w, &(struct kit_entry){ .name = "short" });
	kit_end(&w);
	assert_int_equal(plain(&w, &e), 1);
	assert_string_equal(entry.name, name);
	/* one byte more */
	writer_done(&w);
	w = writer_up_to(KIT_MAX);
	name[TAR_PATH_MAX] = 'n';
	name[TAR_PATH_MAX + 1] = '\0';
	kit_put(&w, &(struct kit_entry){ .name = "x", .type = 'L', .text = name });
	kit_put(&w, &(struct kit_entry){ .name = "short" });
	kit_end(&w);
	assert_refused(plain(&w, &e), e, ERR_EXHAUSTED, "a name of more than 1024 bytes");
}

static void an_extended_header_is_so_long(void **state)
{
	struct err e;

	for (int over = 0; over < 2; over++) {
		CLEANUP_WRITER struct writer w = writer_up_to(KIT_MAX);
		CLEANUP(free) char *record = malloc(TAR_PAX_MAX + 64);
		int head = sprintf(record, "%d k=", TAR_PAX_MAX + over);

		memset(record + head, 'v', TAR_PAX_MAX + 4);
		record[TAR_PAX_MAX + over - 1] = '\n';
		record[TAR_PAX_MAX + over] = '\0';
		kit_put(&w, &(struct kit_entry){ .name = "x", .type = 'x', .text = record });
		kit_put(&w, &(struct kit_entry){ .name = "a" });
		kit_end(&w);
		if (over)
			assert_refused(plain(&w, &e), e, ERR_EXHAUSTED, "extended header");
		else
			assert_int_equal(plain(&w, &e), 1);
	}
}

static void so_many_headers_before_an_entry(void **state)
{
	struct err e;

	for (int count = 8; count < 10; count++) {
		CLEANUP_WRITER struct writer w = writer_up_to(KIT_MAX);

		for (int i = 0; i < count; i++)
			kit_put(&w,
				&(struct kit_entry){ .name = "x", .type = 'K', .text = "there" });
		kit_put(&w, &(struct kit_entry){ .name = "a", .type = '2' });
		kit_end(&w);
		if (count == 9)
			assert_refused(plain(&w, &e), e, ERR_EXHAUSTED, "more than 8 headers");
		else
			assert_int_equal(plain(&w, &e), 1);
	}
}

static void every_cut_of_a_tar_is_refused(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(KIT_MAX);
	struct err e;

	kit_put(&w, &(struct kit_entry){ .name = "a", .text = "content" });
	kit_put(&w, &(struct kit_entry){ .name = "b", .link = "a", .type = '1' });
	size_t end = w.len;
	kit_end(&w);
	for (size_t len = 0; len < w.len; len++) {
		int found = entries(w.bytes, len, BLOB_PLAIN, KIT_MAX, false, &e);

		/* one block of zeros is an end, and what follows is zeros */
		assert_int_equal(found, len < end + 512 ? -ERR_INVALID : 2);
		/* with a digest around it, it may stop behind an entry */
		found = entries(w.bytes, len, BLOB_PLAIN, KIT_MAX, true, &e);
		assert_true(found == -ERR_INVALID || len == 0 || len == 512 + 7 || len == 1024 ||
			    len == end || len >= end + 512);
	}
}

static void every_bit_of_a_header_counts(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(KIT_MAX);
	struct err e;

	kit_put(&w, &(struct kit_entry){ .name = "a", .text = "content" });
	kit_end(&w);
	for (size_t bit = 0; bit < 512 * 8; bit++) {
		size_t at = bit / 8;

		w.bytes[at] ^= (uint8_t)(1 << bit % 8);
		int found = plain(&w, &e);
		w.bytes[at] ^= (uint8_t)(1 << bit % 8);
		/* the sum's own field has more than one spelling of a number */
		assert_true(found == -ERR_INVALID || (at >= 148 && at < 156));
	}
}

static size_t squeeze(const struct writer *w, uint8_t *out, size_t room)
{
	z_stream z = { .next_in = w->bytes,
		       .avail_in = (uInt)w->len,
		       .next_out = out,
		       .avail_out = (uInt)room };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

static void packed_tars_are_the_same_and_bounded(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(KIT_MAX);
	uint8_t packed[65536];
	struct err e;

	kit_put(&w, &(struct kit_entry){ .name = "a", .size = 1 << 20 });
	kit_end(&w);
	size_t len = squeeze(&w, packed, sizeof(packed) - 64);
	assert_int_equal(entries(packed, len, BLOB_GZIP, w.len, false, &e), 1);
	assert_int_equal(entry.size, 1 << 20);
	assert_refused(entries(packed, len, BLOB_GZIP, w.len - 1, false, &e), e, ERR_EXHAUSTED,
		       "larger than");
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(entries(packed, cut, BLOB_GZIP, w.len, true, &e), -ERR_INVALID);
	packed[len] = 'x'; /* what follows is no further member */
	assert_int_equal(entries(packed, len + 1, BLOB_GZIP, w.len, false, &e), -ERR_INVALID);
	assert_refused(entries(w.bytes, w.len, BLOB_GZIP, w.len, false, &e), e, ERR_INVALID,
		       "not gzip");
	assert_refused(entries(w.bytes, w.len, BLOB_ZSTD, w.len, false, &e), e, ERR_INVALID,
		       "not zstd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_come_from_wherever_they_are),
		cmocka_unit_test(an_extended_header_is_so_long),
		cmocka_unit_test(so_many_headers_before_an_entry),
		cmocka_unit_test(every_cut_of_a_tar_is_refused),
		cmocka_unit_test(every_bit_of_a_header_counts),
		cmocka_unit_test(packed_tars_are_the_same_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
