/* SPDX-License-Identifier: Apache-2.0 */
/* store_machine_list.c — CVMs that managers make, as they are listed: on and on, and in an order. */
#include "computations/list/list_rows.h"
#include "computations/store/store_machine.h"
#include "computations/store/store_machine_row.h"

DEFINE_LIST_ROW(machine_row, struct machine, 27, store_machine_read, machine_done, NULL);

/* Of one workspace, which has an index; or those of all that are there, when a service begins. */
#define BEHIND "SELECT " MACHINE_COLUMNS MACHINE_TABLES "WHERE m.number > ?1 AND "
#define OF_ONE                                                                                     \
	BEHIND "m.workspace = ?2 AND (m." MACHINE_NOT_GONE " OR m.number IN (" MACHINE_NEWEST_GONE \
	       "?4))"                                                                              \
	       " ORDER BY m.number LIMIT ?3"
#define OF_ALL BEHIND "m." MACHINE_NOT_GONE " ORDER BY m.number LIMIT ?2"

int store_machines(struct store *store, int64_t workspace, int64_t after, size_t max,
		   struct machine *rows, size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;

	if (workspace ? db_query(&store->db, &found, e, OF_ONE, "iiii", after, workspace,
				 (int64_t)max, (int64_t)MACHINE_GONE_KEPT)
		      : db_query(&store->db, &found, e, OF_ALL, "ii", after, (int64_t)max))
		return err_code(e);
	return list_rows(&machine_row, found, max, rows, count, NULL, e);
}

/* ---- what people look for, in an order, page by page ---- */

/* As machine_state() has it, in that order. */
#define STATE                                                               \
	"CAST(CASE WHEN m.phase >= 3 THEN m.phase WHEN v.id IS NULL THEN 0" \
	" WHEN v.computation = '' THEN 1 ELSE 2 END AS BIGINT)"
_Static_assert(MACHINE_LOST == 3 && MACHINE_REMOVED == 4, "what is written in SQL");

/* Which computation is in one may be hidden from who looks, so it is not looked for. */
#define FOUND                                                                                       \
	MACHINE_TABLES                                                                              \
	"WHERE m.workspace = ?2 AND (m." MACHINE_NOT_GONE " OR m.number IN (" MACHINE_NEWEST_GONE   \
	"?3))"                                                                                      \
	" AND (" LIST_HOLDS("m.name", "?4") " OR " LIST_HOLDS("m.cvm", "?4") " OR " LIST_HOLDS(     \
		"m.address",                                                                        \
		"?4") " OR " LIST_HOLDS("m.manager",                                                \
					"?4") " OR " LIST_HOLDS("m.image",                          \
								"?4") " OR " LIST_HOLDS("m.reason", \
											"?4") ")"
#define ORDER(order, column) \
	{ order, LIST_STATEMENTS(MACHINE_COLUMNS, FOUND, column, "m.number", "?5", "?6"), NULL }

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
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	struct list_look l CLEANUP_LIST_LOOK = { .pattern = NULL };

	if (list_look_begin(&store_machine_orders, search, scope, ARRAY_LEN(scope), &l, e) < 0 ||
	    LIST_ASK(&store->db, &found, &l, max, e, "iit", workspace, (int64_t)MACHINE_GONE_KEPT,
		     l.pattern) < 0)
		return err_code(e);
	return list_page(&machine_row, &l, found, max, rows, count, next, e);
}
