/* CRC-32 and CRC-32C of small messages, by the processor where it can, else eight bytes at a time. */
#ifndef TCHANNEL_CHECKSUMS_H
#define TCHANNEL_CHECKSUMS_H

#include <stddef.h>
#include <stdint.h>

struct checksum_tables {
    uint32_t crc32[8][256];
    uint32_t crc32c[8][256];
    int hardware; /* whether the processor computes CRC-32C */
};

void make_checksum_tables(struct checksum_tables *tables);

/* What follows a seed; both begin with 0 and can be chained, as zlib.crc32 can. */
uint32_t crc32_of(const struct checksum_tables *tables, uint32_t seed, const void *data, size_t size);
uint32_t crc32c_of(const struct checksum_tables *tables, uint32_t seed, const void *data, size_t size);

#endif
