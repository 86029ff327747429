
/*
 * Copyright (C) the modelguard authors
 *
 * The scans over vectors, written once: each level's file defines
 *
 *     SIMD_TARGET             the attribute of its functions
 *     SIMD_WIDTH              bytes in a step, 64 at most
 *     simd_stops(p)           of SIMD_WIDTH bytes at p, which end plain text:
 *                             bit by bit, the first one lowest
 *     simd_ends(p)            which are CR or LF
 *     simd_others(p)          which are no digits
 *
 * and includes this file, which is of no use otherwise.  Nothing outside of
 * [p, end) is read: what is less than a step goes byte by byte.
 */


#ifndef MODELGUARD_SIMD_X86_H_INCLUDED
#define MODELGUARD_SIMD_X86_H_INCLUDED

#ifdef SIMD_WIDTH


static const uint8_t *simd_text(const uint8_t *p, const uint8_t *end,
    unsigned *escaped) SIMD_TARGET;
static const uint8_t *simd_line(const uint8_t *p, const uint8_t *end)
    SIMD_TARGET;
static const uint8_t *simd_digits(const uint8_t *p, const uint8_t *end)
    SIMD_TARGET;


static const uint8_t *
simd_text(const uint8_t *p, const uint8_t *end, unsigned *escaped)
{
    size_t          n;
    uint64_t        stops;
    const uint8_t  *q;

    while (end - p >= SIMD_WIDTH) {
        stops = simd_stops(p);

        for (q = p + SIMD_WIDTH; stops; /* void */ ) {
            q = p + __builtin_ctzll(stops);

            n = modelguard_simd_special(q, end, escaped);

            if (n == 0) {
                return q;
            }

            q += n;

            if (q - p >= SIMD_WIDTH) {
                break;
            }

            stops &= ~(uint64_t) 0 << (q - p);

            if (stops == 0) {
                q = p + SIMD_WIDTH;
            }
        }

        p = q;
    }

    return modelguard_simd_portable.text(p, end, escaped);
}


static const uint8_t *
simd_line(const uint8_t *p, const uint8_t *end)
{
    uint64_t  ends;

    while (end - p >= SIMD_WIDTH) {
        ends = simd_ends(p);

        if (ends) {
            return p + __builtin_ctzll(ends);
        }

        p += SIMD_WIDTH;
    }

    return modelguard_simd_portable.line(p, end);
}


static const uint8_t *
simd_digits(const uint8_t *p, const uint8_t *end)
{
    uint64_t  others;

    while (end - p >= SIMD_WIDTH) {
        others = simd_others(p);

        if (others) {
            return p + __builtin_ctzll(others);
        }

        p += SIMD_WIDTH;
    }

    return modelguard_simd_portable.digits(p, end);
}


#endif /* SIMD_WIDTH */


#endif /* MODELGUARD_SIMD_X86_H_INCLUDED */
