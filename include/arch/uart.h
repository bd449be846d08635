/* SPDX-License-Identifier: MIT */
/*
 * uart.h - a 16550, the serial port.
 *
 *      uart_write --> [ tx ring ] --THR empty interrupt--> FIFO (16) --> line
 *      line --> FIFO --data interrupt--> uart_interrupt --> input hook
 *
 * Polled until uart_start_irq(); polled again when the ring is full and after uart_set_polled().
 *
 * Locks: one word of its own inside (arch lies below kern's locks), ranks below all of them.
 * Linux's counterpart: drivers/tty/serial/8250.
 */
#ifndef PAGODA_ARCH_UART_H
#define PAGODA_ARCH_UART_H

#include "base/types.h"

/** regs: where the registers are mapped; width: bytes an access, 1, 2 or 4. -ENODEV: no 16550. */
must_check int uart_init(void *regs, uint32_t reg_shift, uint32_t width);

/** The registers are mapped elsewhere now. */
void uart_remap(void *regs);

/** Queue or send all n bytes, as they are. May spin when the ring is full; any context. */
void uart_write(const char *buf, size_t n);

/** Until the last byte has left the ring and the FIFO. */
void uart_flush(void);

/** One byte that has come in, or -1. Not with interrupts. */
int uart_poll(void);

/** Interrupts from now on; bytes that come in are given to input(), from interrupt context. */
void uart_start_irq(void (*input)(const char *buf, size_t n));

/** The handler for plic_request(); arg is not used. */
void uart_interrupt(void *arg);

/** For panics: no interrupts, no waiting for the lock of a hart that has stopped. */
void uart_set_polled(void);

#endif
