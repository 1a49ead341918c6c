/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/product.h"

#include "common/base/log.h"

int product_parse(const char *name, enum snp_product *product, struct err *e)
{
	enum snp_product found = snp_product_of(name);

	if (found == SNP_PRODUCT_ANY)
		return err_set(e, ERR_INVALID, "product %s: use Milan, Genoa or Turin",
			       log_quote(name).text);
	*product = found;
	return 0;
}
