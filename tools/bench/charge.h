
/*
 * Copyright (C) the modelguard authors
 *
 * What the files of charge.c share.
 */


#ifndef CHARGE_H_INCLUDED
#define CHARGE_H_INCLUDED


#include <stdio.h>
#include <stdlib.h>

#include "modelguard_table.h"


#define CHARGE_NOW  1750000000000ULL /* ms */


/* says what, and ends the process */

void charge_fail(const char *what);

/* ns */

uint64_t charge_clock(void);

/* memory that processes share */

void *charge_map(size_t size);

/* the n-th client */

modelguard_id_t charge_id(uint64_t n);

/* the least memory that holds so many clients */

size_t charge_room(uint64_t clients, unsigned budgets);

/* a sliding hour */

void charge_parameters(modelguard_budget_t *budget, uint64_t limit);

/* budgets of the names 1, 2, ... */

modelguard_table_t *charge_table(void *memory, size_t size, unsigned budgets,
    uint64_t limit);

/* 1 of each budget, lock and all */

modelguard_table_verdict_e charge_one(modelguard_table_t *table,
    const modelguard_id_t *id, const modelguard_budget_t *budget,
    unsigned budgets, uint64_t now);

/* to one of our cores */

void charge_pin(unsigned n);


/* charge_flood.c */

void charge_flood(uint64_t keys, uint64_t clients);


#endif /* CHARGE_H_INCLUDED */
