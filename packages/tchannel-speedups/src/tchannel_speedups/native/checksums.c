#include "checksums.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <nmmintrin.h>
#define HARDWARE_X86 1
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define HARDWARE_ARM 1
#endif

#define CRC32_POLYNOMIAL 0xEDB88320u
#define CRC32C_POLYNOMIAL 0x82F63B78u

static void
make_table(uint32_t table[8][256], uint32_t polynomial)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ polynomial : value >> 1;
        table[0][byte] = value;
    }
    for (int row = 1; row < 8; row++)
        for (int byte = 0; byte < 256; byte++)
            table[row][byte] = table[row - 1][byte] >> 8 ^ table[0][table[row - 1][byte] & 0xFF];
}

void
make_checksum_tables(struct checksum_tables *tables)
{
    make_table(tables->crc32, CRC32_POLYNOMIAL);
    make_table(tables->crc32c, CRC32C_POLYNOMIAL);
    tables->hardware = 0;
#if defined(HARDWARE_X86)
    __builtin_cpu_init();
    tables->hardware = __builtin_cpu_supports("sse4.2") != 0;
#elif defined(HARDWARE_ARM)
    tables->hardware = 1;
#endif
}

static uint32_t
by_table(const uint32_t table[8][256], uint32_t value, const uint8_t *data, size_t size)
{
    for (; size >= 8; data += 8, size -= 8) {
        value ^= data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
        value = table[7][value & 0xFF] ^ table[6][value >> 8 & 0xFF] ^ table[5][value >> 16 & 0xFF]
            ^ table[4][value >> 24] ^ table[3][data[4]] ^ table[2][data[5]] ^ table[1][data[6]]
            ^ table[0][data[7]];
    }
    for (; size > 0; size--)
        value = table[0][(value ^ *data++) & 0xFF] ^ value >> 8;
    return value;
}

#if defined(HARDWARE_X86)
__attribute__((target("sse4.2"))) static uint32_t
by_hardware(uint32_t value, const uint8_t *data, size_t size)
{
    uint64_t wide = value;
    for (; size >= 8; data += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    value = (uint32_t)wide;
    for (; size > 0; size--)
        value = _mm_crc32_u8(value, *data++);
    return value;
}
#elif defined(HARDWARE_ARM)
static uint32_t
by_hardware(uint32_t value, const uint8_t *data, size_t size)
{
    for (; size >= 8; data += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        value = __crc32cd(value, word);
    }
    for (; size > 0; size--)
        value = __crc32cb(value, *data++);
    return value;
}
#endif

uint32_t
crc32_of(const struct checksum_tables *tables, uint32_t seed, const void *data, size_t size)
{
    return by_table(tables->crc32, seed ^ 0xFFFFFFFFu, data, size) ^ 0xFFFFFFFFu;
}

uint32_t
crc32c_of(const struct checksum_tables *tables, uint32_t seed, const void *data, size_t size)
{
#if defined(HARDWARE_X86) || defined(HARDWARE_ARM)
    if (tables->hardware)
        return by_hardware(seed ^ 0xFFFFFFFFu, data, size) ^ 0xFFFFFFFFu;
#endif
    return by_table(tables->crc32c, seed ^ 0xFFFFFFFFu, data, size) ^ 0xFFFFFFFFu;
}
