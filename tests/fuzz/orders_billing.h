/* SPDX-License-Identifier: Apache-2.0 */
/* orders_billing.h — numbers in the input of fuzz_billing_calls, for the target and for make_calls. */
#pragma once

/* A command is four bytes: what is done, an account's name, a plan's or workspace's, and an operand. In the first byte's upper
 * half: at which statement the database fails; 0: at none. */
enum billing_order {
	BILLING_CREATE,
	BILLING_LIST, /* the operand: how many at a time */
	BILLING_SHOW,
	BILLING_SET_PLAN,
	BILLING_GIVE,
	BILLING_TAKE,
	BILLING_REMOVE,
	BILLING_PLANS,
	BILLING_USAGE,     /* of the account, in CSV's order */
	BILLING_WORKSPACE, /* of the second name is there; with BILLING_GONE no more */
	BILLING_METER,     /* it ran for so many hours as the operand says */
	BILLING_STATEMENTS, /* so many months later as the operand's lower half says, of so many before as its upper */
	BILLING_LIMIT,   /* of the account is nearly reached; with BILLING_GONE it is */
	BILLING_STRANGE, /* the account's row, as somebody else wrote it; or who pays */
	BILLING_ORDERS
};
enum { BILLING_FAILS_SHIFT = 4, BILLING_GONE = 0x80, BILLING_WRONG_TOKEN = 0x40 };
enum billing_name {
	BILLING_ACME,
	BILLING_ZETA,
	BILLING_SMALL, /* a plan, as the next one */
	BILLING_LARGE,
	BILLING_LAB, /* a workspace, as the next one */
	BILLING_DEFAULT,
	BILLING_EMPTY,
	BILLING_BAD,
	BILLING_NAMES
};
