"""Names that MicroPython gives: its own modules, types and methods, and those of an ESP32.

Whatever the firmware calls so may be the interpreter's, and keeps its name. From the interpreter's table of
names, micropython-esp32-stubs 1.29 and the simulated modules; tests/devices/test_outside.py compares them.
"""

_NAMES = """
ADC ADCBlock ADCWiPy AF_INET AF_INET6 AF_UNIX ALARM0 ALT ALT_OPEN_DRAIN ANALOG AP_IF ARRAY ATTN_0DB
ATTN_11DB ATTN_2_5DB ATTN_6DB AUTH_CHAP AUTH_MAX AUTH_NONE AUTH_OPEN AUTH_OWE AUTH_PAP AUTH_WAPI_PSK
AUTH_WEP AUTH_WPA2_ENTERPRISE AUTH_WPA2_PSK AUTH_WPA2_WPA3_PSK AUTH_WPA3_ENT_192 AUTH_WPA3_EXT_PSK
AUTH_WPA3_EXT_PSK_MIXED_MODE AUTH_WPA3_PSK AUTH_WPA_PSK AUTH_WPA_WPA2_PSK AUTO AbstractBlockDev AbstractNIC
ArgumentParser ArgumentTypeError ArithmeticError AssertionError AttributeError Authorization B1000000
B115200 B1152000 B230400 B460800 B500000 B57600 B576000 B921600 B9600 BANDWIDTH_160 BANDWIDTH_20
BANDWIDTH_40 BANDWIDTH_80 BANDWIDTH_80_80 BFINT16 BFINT32 BFINT8 BFUINT16 BFUINT32 BFUINT8 BF_LEN BF_POS
BIG_ENDIAN BLE BOOT BaseException BytesIO CERT_NONE CERT_OPTIONAL CERT_REQUIRED CONTROLLER CORE_TEMP
CORE_VBAT CORE_VREF CTS CancelledError Connection Const_T Counter DAC DECREMENT DEEPSLEEP DEEPSLEEP_RESET
DELETE DOWN DRIVE_0 DRIVE_1 DRIVE_2 DRIVE_3 DeflateIO Done EACCES EADDRINUSE EAGAIN EALREADY EBADF
ECONNABORTED ECONNREFUSED ECONNRESET EEXIST EHOSTUNREACH EINPROGRESS EINVAL EIO EISDIR ENOBUFS ENODEV ENOENT
ENOMEM ENOTCONN ENOTSUP EOFError EOPNOTSUPP EPERM ETH_CONNECTED ETH_DISCONNECTED ETH_GOT_IP ETH_INITIALIZED
ETH_STARTED ETH_STOPPED ETIMEDOUT EXT0_WAKE EXT1_WAKE Ellipsis Encoder Error Event Exception FALLING
FLAG_AUTHENTICATED_SIGNED_WRITE FLAG_AUX_WRITE FLAG_BROADCAST FLAG_INDICATE FLAG_NOTIFY FLAG_READ
FLAG_READ_AUTHENTICATED FLAG_READ_AUTHORIZED FLAG_READ_ENCRYPTED FLAG_WRITE FLAG_WRITE_AUTHENTICATED
FLAG_WRITE_AUTHORIZED FLAG_WRITE_ENCRYPTED FLAG_WRITE_NO_RESPONSE FLOAT32 FLOAT64 FileIO FrameBuffer
FrameBuffer1 GET GS2_HMSB GS4_HMSB GS8 GZIP GeneratorExit HARD_RESET HEAD HEAP_DATA HEAP_EXEC HOLD Host I2C
I2S IDLE ID_T IF_AP IF_STA IGNORE IN INCREMENT INT INT16 INT32 INT64 INT8 INV_CTS INV_RTS INV_RX INV_TX
IOBase IOQueue IPPROTO_IP IPPROTO_SEC IPPROTO_TCP IPPROTO_UDP IP_ADD_MEMBERSHIP IP_DROP_MEMBERSHIP IRQ_BREAK
IRQ_FALLING IRQ_HIGH_LEVEL IRQ_INDEX IRQ_LOW_LEVEL IRQ_MATCH IRQ_MAX IRQ_MIN IRQ_RESET IRQ_RISING
IRQ_ROLL_OVER IRQ_ROLL_UNDER IRQ_RX IRQ_RXIDLE IRQ_THRESHOLD0 IRQ_THRESHOLD1 IRQ_TXIDLE IRQ_ZERO ImportError
IndentationError IndexError KeyError KeyboardInterrupt LAN LITTLE_ENDIAN LOG_DEBUG LOG_ERROR LOG_INFO
LOG_NONE LOG_VERBOSE LOG_WARNING LONG LONGLONG LSB Lock LockType LookupError Loop MBEDTLS_VERSION MODE_11B
MODE_11G MODE_11N MODE_CBC MODE_CTR MODE_ECB MODE_LR MONO MONO_HLSB MONO_HMSB MONO_VLSB MSB MSG_DONTROUTE
MSG_DONTWAIT MSG_PEEK MVLSB MemoryError NATIVE NORMAL NVS NameError NeoPixel None NoneType NotImplemented
NotImplementedError ONE_SHOT OPEN_DRAIN ORDER OSError OUT OrderedDict OverflowError PATCH PCNT PERIODIC
PHY_DM9051 PHY_DP83848 PHY_GENERIC PHY_IP101 PHY_KSZ8041 PHY_KSZ8081 PHY_KSZ8851SNL PHY_LAN8670 PHY_LAN8710
PHY_LAN8720 PHY_RTL8201 PHY_W5500 PIN_WAKE PM_NONE PM_PERFORMANCE PM_POWERSAVE POLLERR POLLHUP POLLIN
POLLOUT POST PPP PROTOCOL_DEFAULT PROTOCOL_DTLS_CLIENT PROTOCOL_DTLS_SERVER PROTOCOL_LR PROTOCOL_TLS_CLIENT
PROTOCOL_TLS_SERVER PTR PULL_DOWN PULL_HOLD PULL_UP PULSE_MAX PUT PWM PWRON_RESET Partition Pin PinBase RAW
RESERVE_MEM REVERSE RGB565 RISING RMT RTC RTC_WAKE RTS RUNNING RX Response RingIO RuntimeError SDCard
SEC_CHAP SEC_DPP SEC_NONE SEC_OPEN SEC_OWE SEC_PAP SEC_WAPI SEC_WEP SEC_WPA SEC_WPA2 SEC_WPA2_ENT
SEC_WPA2_WPA3 SEC_WPA2_WPA3_ENT SEC_WPA3 SEC_WPA3_ENT SEC_WPA3_ENT_192 SEC_WPA3_EXT_PSK
SEC_WPA3_EXT_PSK_MIXED_MODE SEC_WPA_ENT SEC_WPA_WPA2 SHORT SLEEP SLEEP_LIGHT SLEEP_MODEM SLEEP_NONE
SOCK_DGRAM SOCK_RAW SOCK_STREAM SOFT_RESET SOL_SOCKET SO_BINDTODEVICE SO_BROADCAST SO_ERROR SO_KEEPALIVE
SO_LINGER SO_REUSEADDR SPI SSLContext SSLSocket STAT_ASSOC_FAIL STAT_BEACON_TIMEOUT STAT_CONNECTING
STAT_CONNECT_FAIL STAT_GOT_IP STAT_HANDSHAKE_TIMEOUT STAT_IDLE STAT_NO_AP_FOUND
STAT_NO_AP_FOUND_IN_AUTHMODE_THRESHOLD STAT_NO_AP_FOUND_IN_RSSI_THRESHOLD
STAT_NO_AP_FOUND_W_COMPATIBLE_SECURITY STAT_WRONG_PASSWORD STA_IF STEREO Server Signal SingletonGenerator
Socket SoftI2C SoftSPI StopAsyncIteration StopIteration Stream StreamReader StreamWriter StringIO
SyntaxError SystemExit TCP_NODELAY TCSANOW TIMER_WAKE TOUCHPAD_WAKE TX TYPE_APP TYPE_DATA Task TaskQueue
TextIOWrapper ThreadSafeFlag TimeoutError Timer TouchPad TypeError UART UINT UINT16 UINT32 UINT64 UINT8
ULONG ULONGLONG ULP ULP_WAKE UP USHORT UUID UnicodeError VOID VREF ValueError VfsFat VfsLfs1 VfsLfs2
VfsPosix VfsRom ViperTypeError WAKEUP_ALL_LOW WAKEUP_ANY_HIGH WAKE_HIGH WAKE_LOW WDT WDT_RESET WIDTH_10BIT
WIDTH_11BIT WIDTH_12BIT WIDTH_13BIT WIDTH_9BIT WLAN WLANWiPy WLAN_WAKE ZLIB ZeroDivisionError _ _Address
_Arg _ArgError _C _Characteristic _Color _CounterBase _Descriptor _F _Flag _INSTANCES _IRQ_STATE _PCNT
_PCNT_RANGE _Param _PinLike _Remove _Ret _Service _T _WB _apply _asyncio _attrs _build _cached _check_exists
_chunk _configure _context _dequeue _descriptor _dest_from_optnames _download_file _enqueue
_ensure_path_exists _exc_context _exc_handler _install_json _install_package _io_queue _machine _mpy _offset
_overflow _overflows _parse_args _parse_args_impl _path _pcnt _promote_to_task _property _rewrite_url _run
_serve _stop_task _stopper _task_queue _thread _unit_id a2b_base64 abs abs_tol accept aclose acos acosh
acquire action active add add_argument addressof aes alarm all alloc_emergency_exception_buf allocate_lock
allowed_mip_url_prefixes antenna any append appendleft arg argparse args argv array ascii asin asinh
asm_thumb asm_xtensa asyncio atan atan2 atanh atexit atten attr auth aw awrite awritestr b2a_base64 backlog
big bin binascii bind bitstream bitstream_channel bitstream_rmt blit block board bool bound_method bpp
branch buf buffer buffering builtins bytearray bytearray_at bytecode byteorder bytes bytes_at cadata cafile
calcsize call_exception_handler callable cancel cb ceil center cert cert_reqs certfile channel chdir choice
chr chunked cipher classmethod clear client_id clock clock_div close closure cmath code collect collections
commit compile complex config connect const consume_unknown content context copy copysign core coro
coro_equals_ cos cosh count country crc32 crc8 create_task cryptolib csi_available csi_disable csi_dropped
csi_enable csi_read cur_task current_task data datetime decode decrypt deepsleep default
default_exception_handler deflate degrees deinit delattr delete deleter deps deque description dest
dht_readinto dict dict_view difference difference_update digest dir disable disable_irq discard disconnect
divmod do_handshake do_handshake_on_connect do_install doc done drain drive dt dump dumps dupterm duty
duty_ns duty_u16 e ellipse enable enable_irq encode encoding encrypt end endswith enumerate er erase_key erf
erfc errno errorcode eval event exc exc_info exc_type exception exec execfile executable exit exp expm1
extend f fabs factorial feed file fileno fill fill_rect filter find flags flash_erase flash_read flash_size
flash_user_start flash_write float floor flush fmod format framebuf freq frexp from_bytes fromhex fromkeys
frozenset full funcs function future gamma gap_advertise gap_connect gap_disconnect gap_pair gap_passkey
gap_scan gather gattc_discover_characteristics gattc_discover_descriptors gattc_discover_services
gattc_exchange_mtu gattc_read gattc_write gatts_indicate gatts_notify gatts_read gatts_register_services
gatts_set_buffer gatts_write gc generator get get_blob get_ciphers get_event_loop get_exception_handler
get_extra_info get_i32 get_ident get_next_update getaddrinfo getattr getcwd getenv getrandbits getter
getvalue globals gmtime gpio_matrix_in gpio_matrix_out group handler hasattr hash hashes hashlib head
headers heap_lock heap_unlock heapify heappop heappush heapq help hex hexlify hline host hostname id
idf_heap_info idle idx ifconfig ilistdir imag implementation index indices inet_ntop inet_pton inf info init
input insert install int intersection intersection_update invert io ioctl ipconfig ipoll irq is_set isalpha
isclose isconnected isdigit isdisjoint isenabled isfinite isinf isinstance islower isnan isspace issubclass
issubset issuperset isupper items iter iterable iterator join json kbd_intr keepends key keyfile keys latest
ldexp len length lgamma libc_ver lightsleep line list listdir listen little load load_binary load_cert_chain
load_verify_locations loads locals localtime lock locked log log10 log2 look lookahead loop loop_count lower
lstrip mac machine main main_task makefile map mark_app_valid_cancel_rollback match math max maxsize
mcu_temperature md5 mem mem16 mem32 mem8 mem_alloc mem_backup mem_current mem_free mem_info mem_peak
mem_total memory memoryview message method micropython min mkdir mkfs mktime mode modf modify module modules
mount mpy mtime n name namedtuple names nan nargs native new_event_loop newline next no_mpy object oct off
on open open_connection opt opt_level opt_names optname ord os osdebug out_buf pack pack_into package
package_json_url pair parse parse_args parse_headers parse_known_args partition patch path peek peername
pend_throw ph_key phase phases phy_mode pi pin pixel platform polar poll poller poly pop popitem popleft
port pos post pow preview print print_exception progsize property ps1 ps2 psk_identity psk_key ptr ptr16
ptr32 ptr8 pull push put putenv py python_compiler qstr_info queue_read queue_write r radians randint random
randrange range raw raw_temperature rb re read read_u16 read_uv readbit readblocks readbyte readexactly
readfrom readfrom_into readfrom_mem readfrom_mem_into readinto readline readlines readonly readsize real
reason rect recv recv_into recvfrom register rel_tol release remove rename render_arg replace repr req
request requesting requests reset reset_cause return_exceptions return_unknown reverse reversed rfind rindex
rmdir rom_ioctl round rpartition rsplit rstrip run run_forever run_until_complete runq_len s scan schedule
scroll search seed seek select self send sendall sendbreak sendto sep separators server_hostname
server_psk_keys server_side set set_blob set_boot set_ciphers set_exception_handler set_i32
set_native_code_location set_wakeup_period setattr setblocking setdefault setraw setsockopt setter
settimeout sgen sha1 sha256 shift short_hash signed sin single sinh sizeof sleep sleep_ms sleep_type
sleep_us slice sock sockaddr socket soft_reset sort sorted source_freq split splitlines sqrt src ssid ssl
stack_size stack_use start start_new_thread start_server startswith stat state staticmethod status
status_code statvfs stderr stdin stdout step stop store store_const store_false store_true str stream
stream_awrite strip struct sub sum super symmetric_difference symmetric_difference_update sync sys system sz
t tan tanh target task tau tb tcgetattr tcsetattr tell termios text threshold throw ticks ticks_add
ticks_cpu ticks_diff ticks_ms ticks_us time time_ns time_pulse_us timeout timing tls to_bytes toggle trunc
tuple txdone type uctypes uint umount uname unhexlify uniform union unique_id unlink unpack unpack_from
unregister unsafe unsetenv update upper urandom url urls usage usys v val value values verify_callback
verify_mode version version_info vfs viper vline wait wait_closed wait_done wait_for wait_for_ms
wait_io_event waiter waiting waitq_len wake_on_ext0 wake_on_ext1 wake_on_gpio wake_on_touch wake_on_ulp
wake_pins wake_reason wb websocket width wrap_socket write write_pulses write_readinto writebit writeblocks
writebyte writeto writeto_mem writevto zip
"""

OUTSIDE = frozenset(_NAMES.split())
