import socket,time,sys
if sys.argv[1]=='h':
    s=socket.socket(socket.AF_INET,socket.SOCK_RAW,socket.IPPROTO_RAW)
else:
    s=socket.socket(socket.AF_INET,socket.SOCK_RAW,112)
s.setsockopt(socket.SOL_SOCKET,25,b'va\0')
v=bytes([0x21,51,100,1,0,1,0,0])+bytes(12)
h=bytes([0x45,0xc0,0,40,0,1,0,0,255,112,0,0,10,9,0,1,224,0,0,18])
for i in range(3):
    try: s.sendto((h if sys.argv[1]=='h' else b'')+v,('224.0.0.18',0))
    except OSError as e: print(e)
    time.sleep(.1)
