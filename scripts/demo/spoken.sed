# What espeak-ng's Vietnamese voice reads as English or letter by letter, written as it is said.
# Applied with `sed -E -f` to the words as people write them. Longer forms come before shorter ones.
s/UBND/Ủy ban nhân dân/g
s/HĐND/Hội đồng nhân dân/g
s/Zalo/Da-lô/g
s/Facebook/Phây-búc/g
s/Postmart/pót-mạt/g
s/YouTube/Diu-túp/g
s/VNeID/vi-en-i-ai-đi/g
s/\bQR\b/kiu a/g
# 17h30, 17h: hours. 7h05 is "bảy giờ không năm" only when written out, so keep the figures.
s/\b([0-9]{1,2})h([0-9]{2})\b/\1 giờ \2/g
s/\b([0-9]{1,2})h\b/\1 giờ/g
# ngày 10/10, 10/10: a day and a month.
s/ngày ([0-9]{1,2})\/([0-9]{1,2})\b/ngày \1 tháng \2/g
s/\b([0-9]{1,2})\/([0-9]{1,2})\b/ngày \1 tháng \2/g
# The plan's content areas, II.1 to II.6.
s/\bII\.([1-6])\b/hai chấm \1/g
