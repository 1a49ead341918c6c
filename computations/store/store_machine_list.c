/* SPDX-License-Identifier: Apache-2.0 */
/* store_machine_list.c — CVMs that managers make, as they are listed: on and on, and in an order. */
#include "computations/list/list_look.h"
#include "computations/store/store_machine.h"
#include "computations/store/store_machine_row.h"

static void rows_done(struct machine *rows, size_t count)
{
	while (count > 0)
		machine_done(&rows[--count]);
}

static int read_all(struct db_rows *found, size_t max, struct machine *rows, size_t *count,
		    struct err *e)
{
	size_t got = 0;
	int row = 0;

	while (got < max && (row = db_next(found, e)) > 0) {
		row = store_machine_read(found, &rows[got], e);
		if (row < 0)
			break;
		got++;
	}
	if (row < 0) {
		rows_done(rows, got);
		return row;
	}
	*count = got;
	return 0;
}

int store_machines(struct store *store, int64_t workspace, int64_t after, size_t max,
		   struct machine *rows, size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;

	if (db_query(&store->db, &found, e,
		     "SELECT " MACHINE_COLUMNS "WHERE m.number > ?1 AND (m." MACHINE_NOT_GONE
		     " OR m.number IN (" MACHINE_NEWEST_GONE "?4))"
		     " AND (m.workspace = ?2 OR ?2 = 0)"
		     " ORDER BY m.number LIMIT ?3",
		     "iiii", after, workspace, (int64_t)max, (int64_t)MACHINE_GONE_KEPT) < 0)
		return err_code(e);
	return read_all(found, max, rows, count, e);
}

/* ---- what people look for, in an order, page by page ---- */

/* As machine_state() has it, in that order. */
#define STATE                                                               \
	"CAST(CASE WHEN m.phase >= 3 THEN m.phase WHEN v.id IS NULL THEN 0" \
	" WHEN v.computation = '' THEN 1 ELSE 2 END AS BIGINT)"
_Static_assert(MACHINE_LOST == 3 && MACHINE_REMOVED == 4, "what is written in SQL");

/* Which computation is in one may be hidden from who looks, so it is not looked for. */
#define FOUND                                                                                    \
	"SELECT " MACHINE_COLUMNS "WHERE m.workspace = ?2 AND (m." MACHINE_NOT_GONE              \
	" OR m.number IN (" MACHINE_NEWEST_GONE "?3))"                                           \
	" AND (" LIST_LIKE("m.name", "?4") " OR " LIST_LIKE("m.cvm", "?4") " OR " LIST_LIKE(     \
		"m.address",                                                                     \
		"?4") " OR " LIST_LIKE("m.manager",                                              \
				       "?4") " OR " LIST_LIKE("m.image",                         \
							      "?4") " OR " LIST_LIKE("m.reason", \
										     "?4") ")"
#define ORDER(order, column)                                                             \
	{ order, LIST_STATEMENTS(FOUND, column, "m.number", "?5", "?6"),                 \
	  "SELECT m.number, " column " FROM machines m LEFT JOIN cvms v ON v.id = m.cvm" \
	  " AND m.phase < 3 WHERE m.number = ?" }

static const struct list_order_row orders[] = {
	ORDER(LIST_BY_CREATED, "m.created"),
	ORDER(LIST_BY_NAME, LIST_NAME("m.name")),
	ORDER(LIST_BY_STATE, STATE),
};
const struct list_kind store_machine_orders = {
	"CVMs of a workspace", orders, ARRAY_LEN(orders), { LIST_BY_CREATED, true }
};

int store_machines_find(struct store *store, int64_t workspace, int64_t person,
			const struct list_search *search, size_t max, struct machine *rows,
			size_t *count, char **next, struct err *e)
{
	const int64_t scope[] = { workspace, person };
	CLEANUP(db_rows_free) struct db_rows *found = NULL, *last = NULL;
	struct list_look l CLEANUP_LIST_LOOK = { .pattern = NULL };
	CLEANUP(free) char *text = NULL;
	bool is_there;
	size_t got;
	int more;

	if (list_look_begin(&store_machine_orders, search, scope, ARRAY_LEN(scope), &l, e) < 0 ||
	    LIST_ASK(&store->db, &found, &l, max, e, "iit", workspace, (int64_t)MACHINE_GONE_KEPT,
		     l.pattern) < 0 ||
	    read_all(found, max, rows, &got, e) < 0)
		return err_code(e);
	more = got == max && max ? db_next(found, e) : 0;
	if (more > 0)
		more = db_query(&store->db, &last, e, l.order->place, "i", rows[got - 1].number) < 0
			       ? err_code(e)
			       : list_look_behind(&l, last, &is_there, &text, e);
	if (more < 0) {
		rows_done(rows, got);
		return more;
	}
	*count = got;
	*next = TAKE_PTR(text);
	return 0;
}
