
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_budget: random schedules of all kinds against the reference.
 */


#include "tap.h"
#include "budget_schedule.h"


#define SCHEDULES  6000
#define BYTES      400


static uint64_t  seed = 0x9e3779b97f4a7c15ULL;


static uint8_t
draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return (uint8_t) (seed * 0x2545f4914f6cdd1dULL >> 56);
}


int
main(void)
{
    size_t              i, len;
    uint8_t             data[BYTES];
    unsigned            n, kind, failed;
    const char         *wrong;
    static const char  *names[] = {
        "sliding", "hour", "day", "week", "month", "lifetime", "concurrent"
    };

    for (kind = 0; kind < MODELGUARD_BUDGET_KINDS; kind++) {
        failed = 0;

        for (n = 0; n < SCHEDULES; n++) {
            len = 8 + (size_t) draw() * (BYTES - 8) / 255;
            data[0] = (uint8_t) kind;

            for (i = 1; i < len; i++) {
                data[i] = draw();
            }

            wrong = schedule_run(data, len);

            if (wrong && failed++ == 0) {
                printf("# schedule %u: %s\n", n, wrong);
            }
        }

        ok(failed == 0, "%s: as the reference says, %u schedules",
           names[kind], n);
    }

    return tap_done();
}
