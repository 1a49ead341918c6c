/* SPDX-License-Identifier: Apache-2.0 */
/* orders_certificate.h — numbers in the input of fuzz_certificate_calls, for the target and for make_calls. */
#pragma once

/* The first byte: what the service has. */
enum { CERTIFICATE_WANTS_EVIDENCE = 1, CERTIFICATE_NO_AUTHORITY = 2 };

/* A command is two bytes: what is done, in its upper half at which statement the database fails (0: at none), and an operand. */
enum certificate_order {
	CERTIFICATE_TOKEN, /* of the operand's role, is there, and shown from now on */
	CERTIFICATE_ISSUE, /* the operand: what is wrong with it */
	CERTIFICATE_LONG, /* the same, with fields as long as they may be; the operand: which one is longer */
	CERTIFICATE_ORDERS
};
enum {
	CERTIFICATE_NO_EVIDENCE = 1,
	CERTIFICATE_OTHER_SIGNER = 2,
	CERTIFICATE_OTHER_IDENTITY = 4, /* is bound by the evidence */
	CERTIFICATE_UNVERIFIED = 8,
	CERTIFICATE_WRONG_TOKEN = 16,
	CERTIFICATE_BAD_REQUEST = 32,
	CERTIFICATE_NO_KEY = 64,  /* its identity is none */
	CERTIFICATE_NO_TURN = 128 /* too much evidence waits */
};
enum { CERTIFICATE_FAILS_SHIFT = 4 };
