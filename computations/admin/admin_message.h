/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_message.h — rows of the database as messages for administrators. The messages point into the
 * rows and into the struct itself: both must stay where they are until the message is packed.
 */
#pragma once

#include "computations.pb-c.h"
#include "computations/store/store.h"

/* NULL for a moment that is still to come. */
Google__Protobuf__Timestamp *admin_message_time(Google__Protobuf__Timestamp *out, int64_t ms);

struct admin_message_computation {
	Computations__Computation message;
	Google__Protobuf__Timestamp created, sent, ended, changed;
};
/* Without how far it is. */
void admin_message_computation(struct admin_message_computation *out, const struct computation *c,
			       bool connected);

struct admin_message_cvm {
	Computations__Cvm message;
	Google__Protobuf__Timestamp first_seen, last_seen, judged;
};
void admin_message_cvm(struct admin_message_cvm *out, const struct cvm *c, bool connected);

struct admin_message_record {
	Computations__Record message;
	Google__Protobuf__Timestamp time, received;
};
void admin_message_record(struct admin_message_record *out, const struct record *r);
