/* SPDX-License-Identifier: Apache-2.0 */
#include "common/metrics/metrics_text.h"

const char *const metrics_types[2] = {
	[METRICS_PROMETHEUS] = "text/plain; version=0.0.4; charset=utf-8",
	[METRICS_OPEN] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

struct metrics_text metrics_text_new(enum metrics_format format)
{
	return (struct metrics_text){ .format = format, .w = writer_up_to(METRICS_TEXT_MAX) };
}

static const char *suffix_of(enum metrics_kind kind)
{
	return kind == METRICS_COUNTER ? "_total" : kind == METRICS_INFO ? "_info" : "";
}

void metrics_family(struct metrics_text *t, const char *name, enum metrics_kind kind,
		    const char *help)
{
	static const char *const words[][2] = {
		[METRICS_COUNTER] = { "counter", "counter" },
		[METRICS_GAUGE] = { "gauge", "gauge" },
		[METRICS_HISTOGRAM] = { "histogram", "histogram" },
		[METRICS_INFO] = { "gauge", "info" }, /* the older format has no such kind */
	};
	/* There, too, it calls a family by the name of its samples. */
	const char *suffix = t->format == METRICS_OPEN ? "" : suffix_of(kind);

	t->family = name;
	t->kind = kind;
	writer_printf(&t->w, "# HELP %s%s %s\n", name, suffix, help);
	writer_printf(&t->w, "# TYPE %s%s %s\n", name, suffix, words[kind][t->format]);
}

static void put_value(struct writer *w, const char *value)
{
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			writer_u8(w, '\\');
		if (*value == '\n')
			writer_text(w, "\\n");
		else
			writer_u8(w, (uint8_t)*value);
	}
}

static void put_label(struct writer *w, bool first, const char *name, const char *value)
{
	writer_printf(w, "%s%s=\"", first ? "{" : ",", name);
	put_value(w, value);
	writer_text(w, "\"");
}

static void put_name(struct metrics_text *t, const char *suffix, const struct metrics_label *labels,
		     const char *bound)
{
	bool first = true;

	writer_printf(&t->w, "%s%s", t->family, suffix);
	for (; labels && labels->name; labels++) {
		put_label(&t->w, first, labels->name, labels->value);
		first = false;
	}
	if (bound)
		put_label(&t->w, first, "le", bound);
	writer_text(&t->w, first && !bound ? " " : "} ");
}

void metrics_sample(struct metrics_text *t, const struct metrics_label *labels, double value)
{
	put_name(t, suffix_of(t->kind), labels, NULL);
	writer_printf(&t->w, "%.15g\n", value);
}

void metrics_bucket(struct metrics_text *t, const struct metrics_label *labels, const char *bound,
		    uint64_t count)
{
	put_name(t, "_bucket", labels, bound);
	writer_printf(&t->w, "%llu\n", (unsigned long long)count);
}

void metrics_sum(struct metrics_text *t, const struct metrics_label *labels, double sum,
		 uint64_t count)
{
	put_name(t, "_sum", labels, NULL);
	writer_printf(&t->w, "%.15g\n", sum);
	put_name(t, "_count", labels, NULL);
	writer_printf(&t->w, "%llu\n", (unsigned long long)count);
}

uint8_t *metrics_text_take(struct metrics_text *t, size_t *len, struct err *e)
{
	uint8_t *text;

	if (t->format == METRICS_OPEN)
		writer_text(&t->w, "# EOF\n");
	text = writer_take(&t->w, len);
	/* Ours, and not that somebody asks too often. */
	if (!text && writer_check(&t->w, "the page of metrics", e) < 0)
		e->code = ERR_UNAVAILABLE;
	writer_done(&t->w);
	return text;
}
