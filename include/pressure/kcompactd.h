/* SPDX-License-Identifier: MIT */
/*
 * kcompactd.h - a thread for each node that compacts in the background.
 */
#ifndef PAGODA_PRESSURE_KCOMPACTD_H
#define PAGODA_PRESSURE_KCOMPACTD_H

/** Start the threads and hang the waking rung into the ladder. Boot. */
void kcompactd_init(void);

#endif
