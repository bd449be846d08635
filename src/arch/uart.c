/* SPDX-License-Identifier: MIT */
/*
 * uart.c - a 16550 and its two directions.
 *
 *      tx ring   [ . . x x x x . . ]          sent <= queued <= sent + TX_SIZE
 *                      ^ sent  ^ queued
 *      out: FIFO empty? up to 16 bytes of the ring into it; its interrupt does so again
 *      in:  "data there" interrupt: bytes to the input hook
 *
 * Before uart_start_irq(), and after uart_set_polled(), the writer empties the ring itself.
 *
 * Locks: `lock`, a word of our own: writers and the interrupt, perhaps on another hart. A leaf,
 * and held for a few register accesses. Ignored when polled for a panic.
 * Invariants: IER_THRE is on exactly while interrupts are used and the ring is not empty.
 * Linux's counterpart: serial8250_tx_chars() and serial8250_rx_chars().
 */
#include "arch/uart.h"

#include "arch/barrier.h"
#include "arch/hart.h"
#include "base/errno.h"

/* Registers, by number. */
#define RBR 0 /* read: received byte */
#define THR 0 /* write: byte to send */
#define IER 1
#define FCR 2 /* write */
#define LCR 3
#define MCR 4
#define LSR 5
#define SCR 7 /* scratch: holds what one writes, if this is a 16550 */

#define IER_RDA 0x01  /* data there */
#define IER_THRE 0x02 /* transmit FIFO empty */
#define FCR_ENABLE 0x01
#define LCR_8N1 0x03
#define MCR_DTR_RTS_OUT2 0x0b /* OUT2 connects the interrupt on PC-like boards */
#define LSR_DATA 0x01
#define LSR_THRE 0x20
#define LSR_IDLE 0x40 /* FIFO and shift register */

#define FIFO_SIZE 16
#define TX_SIZE 4096u
#define RX_CHUNK 64
#define SCRATCH_TEST 0x5a

static volatile char *regs;
static uint32_t shift, access_width;
static char tx[TX_SIZE];
static uint32_t queued, sent;
static bool irq_driven, polled_only;
static void (*input_hook)(const char *buf, size_t n);
static uint32_t lock;

static uint8_t read_reg(uint32_t n)
{
    volatile char *at = regs + ((size_t)n << shift);
    if (access_width == sizeof(uint32_t))
        return (uint8_t) * (volatile uint32_t *)at;
    if (access_width == sizeof(uint16_t))
        return (uint8_t) * (volatile uint16_t *)at;
    return *(volatile uint8_t *)at;
}

static void write_reg(uint32_t n, uint8_t value)
{
    volatile char *at = regs + ((size_t)n << shift);
    if (access_width == sizeof(uint32_t))
        *(volatile uint32_t *)at = value;
    else if (access_width == sizeof(uint16_t))
        *(volatile uint16_t *)at = value;
    else
        *(volatile uint8_t *)at = value;
}

static void acquire(void)
{
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE) && !polled_only)
        cpu_relax();
}

static void release(void)
{
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

/* --- setting up ------------------------------------------------------------------------------ */

int uart_init(void *mapped, uint32_t reg_shift, uint32_t width)
{
    regs = mapped;
    shift = reg_shift;
    access_width = width;
    write_reg(SCR, SCRATCH_TEST);
    if (read_reg(SCR) != SCRATCH_TEST) {
        regs = NULL;
        return -ENODEV;
    }
    /* The speed stays as the firmware set it. */
    write_reg(IER, 0);
    write_reg(LCR, LCR_8N1);
    write_reg(FCR, FCR_ENABLE); /* not cleared: firmware's last bytes may still be in it */
    write_reg(MCR, MCR_DTR_RTS_OUT2);
    return 0;
}

void uart_remap(void *mapped)
{
    acquire();
    regs = mapped;
    release();
}

void uart_start_irq(void (*input)(const char *buf, size_t n))
{
    acquire();
    input_hook = input;
    irq_driven = true;
    write_reg(IER, queued != sent ? IER_RDA | IER_THRE : IER_RDA);
    release();
}

void uart_set_polled(void)
{
    polled_only = true;
    irq_driven = false;
    if (regs)
        write_reg(IER, 0);
}

/* --- out ------------------------------------------------------------------------------------- */

/* Fill the FIFO if it is empty. */
static void send_some(void)
{
    if (!(read_reg(LSR) & LSR_THRE))
        return;
    for (int i = 0; i < FIFO_SIZE && sent != queued; i++)
        write_reg(THR, (uint8_t)tx[sent++ % TX_SIZE]);
}

static void update_tx_irq(void)
{
    if (irq_driven)
        write_reg(IER, queued != sent ? IER_RDA | IER_THRE : IER_RDA);
}

void uart_write(const char *buf, size_t n)
{
    if (!regs)
        return;
    acquire();
    for (size_t i = 0; i < n; i++) {
        while (queued - sent == TX_SIZE)
            send_some();
        tx[queued++ % TX_SIZE] = buf[i];
    }
    do
        send_some();
    while (!irq_driven && queued != sent);
    update_tx_irq();
    release();
}

void uart_flush(void)
{
    if (!regs)
        return;
    acquire();
    while (queued != sent)
        send_some();
    while (!(read_reg(LSR) & LSR_IDLE))
        cpu_relax();
    update_tx_irq();
    release();
}

/* --- in -------------------------------------------------------------------------------------- */

int uart_poll(void)
{
    if (!regs || irq_driven)
        return -1;
    return read_reg(LSR) & LSR_DATA ? read_reg(RBR) : -1;
}

void uart_interrupt(void *arg)
{
    char in[RX_CHUNK];
    size_t n = 0;
    (void)arg;
    do {
        n = 0;
        acquire();
        while (n < RX_CHUNK && (read_reg(LSR) & LSR_DATA))
            in[n++] = (char)read_reg(RBR);
        send_some();
        update_tx_irq();
        release();
        if (n && input_hook)
            input_hook(in, n); /* wakes readers: not under our lock */
    } while (n == RX_CHUNK);
}
