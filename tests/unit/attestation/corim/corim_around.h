/* SPDX-License-Identifier: Apache-2.0 */
/* corim_around.h — what stands around a CoMID that is written by hand. */
#pragma once

#include "common/base/datum.h"
#include "common/base/writer.h"

/* {0: "id", 1: [506(<< comid >>)]}, without a signature. */
static inline void corim_around(const struct writer *comid, struct writer *w)
{
	datum_put_map(w, 2);
	datum_put_uint(w, 0);
	datum_put_text(w, "id");
	datum_put_uint(w, 1);
	datum_put_array(w, 1);
	datum_put_tag(w, 506);
	datum_put_bytes(w, comid->bytes, comid->len);
}
