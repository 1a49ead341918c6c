/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convert.h — rows of the database as messages for administrators. The messages point into the
 * rows and into the struct itself: both must stay where they are until the message is packed.
 */
#pragma once

#include "computations.pb-c.h"
#include "computations/store.h"

struct convert_computation {
	Computations__Computation message;
	Google__Protobuf__Timestamp created, sent, ended;
};
void convert_computation(struct convert_computation *out, const struct computation *c,
			 bool connected);

struct convert_cvm {
	Computations__Cvm message;
	Google__Protobuf__Timestamp first_seen, last_seen, judged;
};
void convert_cvm(struct convert_cvm *out, const struct cvm *c, bool connected);

struct convert_record {
	Computations__Record message;
	Google__Protobuf__Timestamp time, received;
};
void convert_record(struct convert_record *out, const struct record *r);
